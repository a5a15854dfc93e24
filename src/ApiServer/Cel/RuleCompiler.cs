using System.Globalization;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// Judges the rules of a definition before any object exists: they must compile, give a boolean, use oldSelf only where
/// old and new values can be told to belong together, and stay within the cost budget of a rule and of the whole schema.
/// What is beyond the supported language does not compile, so it is refused here and never ignored later.
/// </summary>
internal sealed class RuleCompiler
{
    private const ulong RuleLimit = 10_000_000;
    private const ulong SchemaLimit = 100_000_000;
    private const int MostExpensive = 4;

    private readonly List<FieldError> errors = [];
    private readonly List<(string Path, ulong Cost)> expensive = [];
    private ulong total;

    /// <param name="schema">Root schema of a version.</param>
    /// <param name="path">Where the schema stands in the definition.</param>
    public static IReadOnlyList<FieldError> Check(StructuralSchema schema, string path)
    {
        if (!RuleValidator.HasRules(schema))
        {
            return [];
        }

        var compiler = new RuleCompiler();
        compiler.Visit(schema, path, SchemaTypes.Of(schema, root: true), 1, null);
        compiler.CheckTotal(path);
        return compiler.errors;
    }

    // How often a value can stand in an object: the product of the bounds above it, or null when one of them is missing.
    private static ulong? Cardinality(StructuralSchema schema, ulong? above) => (schema.Type, above) switch
    {
        (_, null) => null,
        ("array", { } count) => schema.Rules.MaxItems is { } most ? CelCosts.Multiply(count, (ulong)most) : null,
        ("object", { } count) when schema.Values is not null => schema.Rules.MaxProperties is { } most ? CelCosts.Multiply(count, (ulong)most) : null,
        _ => above,
    };

    private void Visit(StructuralSchema schema, string path, CelType? type, ulong? cardinality, string? uncorrelatable)
    {
        ulong? below = Cardinality(schema, cardinality);
        foreach ((string name, StructuralSchema field) in schema.Properties ?? [])
        {
            CelType? fieldType = FieldNames.Escape(name) is { } escaped && type?.Fields?.TryGetValue(escaped, out CelType? known) == true ? known : null;
            Visit(field, $"{path}.properties[{name}]", fieldType ?? SchemaTypes.Of(field), below, uncorrelatable ?? (schema.IsAtomicMap ? path : null));
        }

        if (schema.Values is not null)
        {
            Visit(schema.Values, path + ".additionalProperties", type?.Kind == CelKind.Map ? type.Parameters[1] : SchemaTypes.Of(schema.Values), below, uncorrelatable);
        }

        if (schema.Items is not null)
        {
            Visit(schema.Items, path + ".items", type?.Kind == CelKind.List ? type.Parameters[0] : SchemaTypes.Of(schema.Items), below, uncorrelatable ?? (schema.ListType == "map" ? null : path));
        }

        for (int i = 0; i < schema.Validations.Count; i++)
        {
            // Without a bound above it, a value can occur as often as its smallest form fits into a request.
            ulong count = cardinality ?? (ulong)(SchemaTypes.MaxRequestBytes / ((type?.MinBytes ?? 0) + 1));
            CheckRule(CompiledRule.Compile(schema.Validations[i], schema, type), $"{path}.x-kubernetes-validations[{i}]", count, uncorrelatable);
        }
    }

    private void CheckRule(CompiledRule rule, string path, ulong count, string? uncorrelatable)
    {
        ulong cost = CelCosts.Multiply(rule.Cost, count);
        Observe(path + ".rule", "estimated rule cost", cost);
        if (rule.Error is not null)
        {
            errors.Add(FieldError.Invalid(path + ".rule", Dump(rule.Source), rule.Error));
        }

        if (rule.MessageError is not null)
        {
            errors.Add(FieldError.Invalid(path + ".messageExpression", Dump(rule.Source), rule.MessageError));
        }
        else if (rule.Message is not null)
        {
            Observe(path + ".messageExpression", "estimated messageExpression cost", rule.MessageCost);
        }

        if (rule.UsesOldSelf && uncorrelatable is not null)
        {
            errors.Add(FieldError.Invalid(path + ".rule", Json.Quote(rule.Source.Rule), "oldSelf cannot be used on the uncorrelatable portion of the schema within " + uncorrelatable));
        }
        else if (!rule.UsesOldSelf && rule.Source.OptionalOldSelf is { } optional && rule.Error is null)
        {
            errors.Add(FieldError.Invalid(path + ".optionalOldSelf", optional ? "true" : "false", "may not be set if oldSelf is not used in rule"));
        }
    }

    private void Observe(string path, string name, ulong cost)
    {
        if (cost > RuleLimit)
        {
            errors.Add(FieldError.Forbidden(path, TooExpensive(name, cost, RuleLimit)));
        }

        total = CelCosts.Add(total, cost);
        if (cost >= SchemaLimit / 100)
        {
            expensive.Add((path, cost));
        }
    }

    private void CheckTotal(string path)
    {
        if (total <= SchemaLimit)
        {
            return;
        }

        errors.AddRange(expensive.OrderByDescending(static rule => rule.Cost).Take(MostExpensive)
            .Select(static rule => FieldError.Forbidden(rule.Path, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema")));
        errors.Add(FieldError.Forbidden(path, TooExpensive("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", total, SchemaLimit)));
    }

    private static string TooExpensive(string name, ulong cost, ulong limit)
    {
        double factor = cost / (double)limit;
        string times = factor > 100 ? "more than 100x" : factor.ToString(factor < 1.5 ? "F6" : "F1", CultureInfo.InvariantCulture) + "x";
        return $"{name} exceeds budget by factor of {times} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
    }

    // A rule as the real server prints it in messages.
    private static string Dump(CelRule rule) => Json.Compact(
        new JsonObject
        {
            ["Rule"] = rule.Rule,
            ["Message"] = rule.Message,
            ["MessageExpression"] = rule.MessageExpression,
            ["Reason"] = rule.Reason,
            ["FieldPath"] = rule.FieldPath,
            ["OptionalOldSelf"] = rule.OptionalOldSelf,
        },
        sorted: false);
}
