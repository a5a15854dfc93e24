namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// The most that an expression can cost, estimated before it ever runs, in the real server's units: one for reading a
/// name or calling a simple function, a tenth for each character looked at, loops multiplied by the size of their range.
/// Sizes come from the bounds in the schema, so an unbounded list makes an expensive rule. Everything saturates.
/// </summary>
internal static class CelCosts
{
    private const ulong ListCost = 10;
    private const ulong MapCost = 30;

    public static ulong Add(ulong left, ulong right) => left > ulong.MaxValue - right ? ulong.MaxValue : left + right;

    public static ulong Multiply(ulong left, ulong right) => right != 0 && left > ulong.MaxValue / right ? ulong.MaxValue : left * right;

    public static ulong Scale(ulong value, double factor) => value == ulong.MaxValue && factor >= 1 ? value : Math.Ceiling(value * factor) is var scaled && scaled >= 18446744073709551615.0 ? ulong.MaxValue : (ulong)scaled;

    public static ulong Tenth(ulong size) => Scale(size, 0.1);

    public static (ulong, ulong?) One(ulong[] sizes) => (1, null);

    public static (ulong, ulong?) Free(ulong[] sizes) => (0, null);

    public static (ulong, ulong?) Traverse(ulong[] sizes) => (Tenth(sizes[0]), null);

    /// <summary>Comparing stops at the end of the shorter one.</summary>
    public static (ulong, ulong?) Smallest(ulong[] sizes) => (Tenth(Math.Min(sizes[0], sizes[1])), null);

    public static (ulong, ulong?) Concatenate(ulong[] sizes) => Add(sizes[0], sizes[1]) is var size ? (Tenth(size), size) : default;

    public static (ulong, ulong?) Regex(ulong[] sizes) => (Multiply(Tenth(Add(sizes[0], 1)), Scale(sizes[1], 0.25)), sizes[0]);

    public static (ulong, ulong?) Replace(ulong[] sizes) => (Tenth(sizes[0]), sizes[1] <= 1 ? Multiply(sizes[0], Math.Max(1, sizes[2])) : Add(sizes[0], Multiply(sizes[0], sizes[2])));

    public static ulong Estimate(Expr tree) => Visit(tree).Cost;

    private static (ulong Cost, ulong Size) Visit(Expr node)
    {
        switch (node)
        {
            case Literal literal:
                return (0, literal.Value is string text ? (ulong)text.Length : literal.Value is byte[] bytes ? (ulong)bytes.Length : 1);
            case Ident:
                return (1, SizeOf(node.Type));
            case Select select:
                ulong operand = Visit(select.Operand).Cost;
                bool counts = !select.IsTest && select.Operand.Type.Kind is CelKind.Map or CelKind.Object;
                return (Add(operand, counts ? 1UL : 0), SizeOf(node.Type));
            case ListLiteral list:
                return (list.Items.Aggregate(ListCost, static (sum, item) => Add(sum, Visit(item.Value).Cost)), (ulong)list.Items.Count);
            case MapLiteral map:
                return (map.Entries.Aggregate(MapCost, static (sum, entry) => Add(sum, Add(Visit(entry.Key).Cost, Visit(entry.Value).Cost))), (ulong)map.Entries.Count);
            case Call call:
                return VisitCall(call);
            default:
                return VisitMacro((Macro)node);
        }
    }

    private static ulong SizeOf(CelType type) => type.MaxSize ?? (type.IsScalar ? 1 : ulong.MaxValue);

    private static (ulong Cost, ulong Size) VisitCall(Call call)
    {
        List<(ulong Cost, ulong Size)> operands = [.. call.Operands.Select(Visit)];
        ulong[] sizes = [.. operands.Select(static operand => operand.Size)];
        ulong sum = call.Function == "_?_:_" ? Add(operands[0].Cost, Math.Max(operands[1].Cost, operands[2].Cost)) : operands.Aggregate(0UL, static (total, operand) => Add(total, operand.Cost));
        if (call.Overloads.Count == 0)
        {
            return (Add(sum, 1), SizeOf(call.Type));
        }

        List<(ulong Cost, ulong? Size)> choices = [.. call.Overloads.Select(overload => overload.Cost(sizes))];
        ulong size = choices.Max(static choice => choice.Size) ?? SizeOf(call.Type);
        return (Add(sum, choices.Max(static choice => choice.Cost)), size);
    }

    private static (ulong Cost, ulong Size) VisitMacro(Macro macro)
    {
        (ulong range, ulong count) = Visit(macro.Range);
        (ulong body, ulong bodySize) = Visit(macro.Body);
        ulong filter = macro.Filter is null ? 0 : Visit(macro.Filter).Cost;
        if (macro.Kind is MacroKind.OptMap or MacroKind.OptFlatMap)
        {
            return (Add(Add(range, ListCost + 3), body), bodySize);
        }

        // Beyond the body, each round costs what keeping and testing the result takes.
        (ulong start, ulong round, ulong end) = macro.Kind switch
        {
            MacroKind.All => (0UL, 3UL, 1UL),
            MacroKind.Exists => (0UL, 4UL, 1UL),
            MacroKind.ExistsOne => (0UL, 2UL, 2UL),
            MacroKind.TransformMap => (MapCost, 32UL, 1UL),
            _ => (ListCost, 12UL, 1UL),
        };
        ulong step = Add(Add(body, filter), round);
        bool collects = macro.Kind is MacroKind.Map or MacroKind.Filter or MacroKind.TransformList or MacroKind.TransformMap;
        return (Add(Add(Add(range, start), end), Multiply(count, step)), collects ? count : 1);
    }
}
