using System.Runtime.CompilerServices;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>A validation rule ready to run, or what is wrong with it.</summary>
internal sealed record CompiledRule(CelRule Source)
{
    public const string Self = "self";
    public const string OldSelf = "oldSelf";

    private static readonly ConditionalWeakTable<StructuralSchema, CompiledRule[]> Cache = [];

    public Expr? Program { get; init; }

    public string? Error { get; init; }

    public Expr? Message { get; init; }

    public string? MessageError { get; init; }

    public ulong Cost { get; init; }

    public ulong MessageCost { get; init; }

    /// <summary>A transition rule: it only makes sense when there is an old value, unless it takes it as an optional.</summary>
    public bool UsesOldSelf { get; init; }

    /// <summary>Path below the value that errors are reported at; empty for the value itself.</summary>
    public string FieldPath { get; init; } = "";

    /// <summary>The rules of one schema node, compiled once for as long as the schema lives.</summary>
    public static CompiledRule[] Of(StructuralSchema schema, bool root) =>
        Cache.TryGetValue(schema, out CompiledRule[]? rules) ? rules : Cache.GetValue(schema, key => [.. key.Validations.Select(rule => Compile(rule, key, SchemaTypes.Of(key, root)))]);

    public static CompiledRule Compile(CelRule rule, StructuralSchema schema, CelType? type)
    {
        if (type is null)
        {
            return new CompiledRule(rule) { Error = "the schema gives the value no type that rules could see" };
        }

        var variables = new Dictionary<string, CelType> { [Self] = type, [OldSelf] = rule.OptionalOldSelf == true ? CelType.Optional(type) : type };
        (Expr? program, string? error, IReadOnlySet<string> used) = Parse(rule.Rule, variables);
        if (error is not null)
        {
            return new CompiledRule(rule) { Error = "compilation failed: " + error };
        }

        if (program!.Type.Kind is not CelKind.Bool)
        {
            return new CompiledRule(rule) { Error = "cel expression must evaluate to a bool" };
        }

        var compiled = new CompiledRule(rule)
        {
            Program = program,
            Cost = CelCosts.Estimate(program),
            UsesOldSelf = used.Contains(OldSelf),
            FieldPath = rule.FieldPath.Length > 0 && SimplePath.TryResolve(rule.FieldPath, schema, out string path, out _, out _) ? path : "",
        };
        return rule.MessageExpression.Length == 0 ? compiled : WithMessage(compiled, variables);
    }

    private static CompiledRule WithMessage(CompiledRule compiled, Dictionary<string, CelType> variables)
    {
        (Expr? message, string? error, _) = Parse(compiled.Source.MessageExpression, variables);
        return error is not null ? compiled with { MessageError = "messageExpression compilation failed: " + error }
            : message!.Type.Kind is not CelKind.String ? compiled with { MessageError = "messageExpression must evaluate to a string" }
            : compiled with { Message = message, MessageCost = CelCosts.Estimate(message) };
    }

    private static (Expr? Tree, string? Error, IReadOnlySet<string> Used) Parse(string source, Dictionary<string, CelType> variables)
    {
        (Expr? tree, CelIssue? issue) = CelParser.Parse(source);
        if (tree is null)
        {
            return (null, CelIssue.Format(source, [issue!]), new HashSet<string>());
        }

        (IReadOnlyList<CelIssue> issues, IReadOnlySet<string> used) = CelChecker.Check(tree, variables);
        issues = issues.Count > 0 ? issues : [.. LiteralCheck.Check(tree)];
        return issues.Count > 0 ? (null, CelIssue.Format(source, issues), used) : (tree, null, used);
    }
}
