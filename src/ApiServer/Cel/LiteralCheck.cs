using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// Mistakes inside literals of an expression whose types are right: patterns, durations and times that do not parse, and
/// lists and maps of mixed types, which rules may not contain.
/// </summary>
internal static class LiteralCheck
{
    public static IEnumerable<CelIssue> Check(Expr node)
    {
        IEnumerable<CelIssue> own = node switch
        {
            Call call => CheckCall(call),
            ListLiteral list => Mixed(list.Items.Where(static item => !item.IsOptional).Select(static item => item.Value)),
            MapLiteral map => Mixed(map.Entries.Select(static entry => entry.Key)).Concat(Mixed(map.Entries.Where(static entry => !entry.IsOptional).Select(static entry => entry.Value))),
            _ => [],
        };
        return own.Concat(Children(node).SelectMany(Check));
    }

    private static IEnumerable<Expr> Children(Expr node) => node switch
    {
        Select select => [select.Operand],
        Call call => call.Operands,
        ListLiteral list => list.Items.Select(static item => item.Value),
        MapLiteral map => map.Entries.SelectMany(static entry => new[] { entry.Key, entry.Value }),
        Macro macro => macro.Filter is null ? [macro.Range, macro.Body] : [macro.Range, macro.Filter, macro.Body],
        _ => [],
    };

    private static IEnumerable<CelIssue> CheckCall(Call call)
    {
        if (call.Arguments is not [.., Literal { Value: string text } argument])
        {
            return [];
        }

        bool right = call.Function switch
        {
            "matches" => GoRegex.TryCompile(text, out _, out _),
            "duration" => CelTime.TryDuration(text, out _),
            "timestamp" => CelTime.TryTimestamp(text, out _),
            _ => true,
        };
        return right ? [] : [new CelIssue(argument.At, $"invalid {call.Function} argument")];
    }

    private static IEnumerable<CelIssue> Mixed(IEnumerable<Expr> nodes)
    {
        List<Expr> typed = [.. nodes.Where(static node => node.Type.Kind is not (CelKind.Dyn or CelKind.Null))];
        return typed.Count == 0 ? [] : typed.Where(node => node.Type.Kind != typed[0].Type.Kind).Take(1)
            .Select(node => new CelIssue(node.At, $"expected type '{typed[0].Type}' but found '{node.Type}'"));
    }
}
