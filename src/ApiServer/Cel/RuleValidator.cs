using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// Runs the rules of a schema over an object, each on the value it is declared for. Rules that look at the old value run
/// when there is one; an unchanged value that breaks a rule which does not look back is let pass, so that a rule added
/// later never locks an object.
/// </summary>
internal sealed class RuleValidator
{
    private const long CallBudget = 1_000_000;

    private readonly List<FieldError> errors = [];

    public static bool HasRules(StructuralSchema? schema) =>
        schema is not null && (schema.Validations.Count > 0 || HasRules(schema.Items) || HasRules(schema.Values) || (schema.Properties?.Values.Any(HasRules) ?? false));

    /// <param name="schema">Root schema of the version.</param>
    /// <param name="value">The new object.</param>
    /// <param name="old">The stored object, or null on creation.</param>
    public static IReadOnlyList<FieldError> Validate(StructuralSchema schema, JsonObject value, JsonObject? old)
    {
        var validator = new RuleValidator();
        validator.Visit(schema, value, old, "", root: true);
        return validator.errors;
    }

    private void Visit(StructuralSchema schema, JsonNode? value, JsonNode? old, string path, bool root)
    {
        if (value is null)
        {
            return;
        }

        if (schema.Validations.Count > 0)
        {
            RunRules(schema, value, old, path, root);
        }

        switch (value)
        {
            case JsonObject members:
                foreach ((string name, JsonNode? member) in members)
                {
                    if ((schema.Field(name) ?? schema.Values) is { } child && !(root && name == "metadata"))
                    {
                        Visit(child, member, schema.IsAtomicMap ? null : (old as JsonObject)?[name], SchemaValidator.Join(path, name), root: false);
                    }
                }

                break;
            case JsonArray items when schema.Items is not null:
                for (int i = 0; i < items.Count; i++)
                {
                    Visit(schema.Items, items[i], SchemaValidator.Correlate(schema, items[i], old as JsonArray), $"{path}[{i}]", root: false);
                }

                break;
        }
    }

    private void RunRules(StructuralSchema schema, JsonNode value, JsonNode? old, string path, bool root)
    {
        bool unchanged = old is not null && Json.Equal(value, old);
        object? self = CelValue.FromJson(value, schema);
        object? oldSelf = old is null ? null : CelValue.FromJson(old, schema);
        foreach (CompiledRule rule in CompiledRule.Of(schema, root))
        {
            bool optional = rule.Source.OptionalOldSelf == true;
            if (rule.Program is null || (rule.UsesOldSelf && old is null && !optional))
            {
                if (rule.Error is not null)
                {
                    errors.Add(Invalid(path, schema.Type, "rule compile error: " + rule.Error));
                }

                continue;
            }

            var variables = new Dictionary<string, object?>
            {
                [CompiledRule.Self] = self,
                [CompiledRule.OldSelf] = !optional ? oldSelf : old is null ? CelOptional.None : CelOptional.Of(oldSelf),
            };
            if (Run(rule, variables, value, schema, path) is { } error && (rule.UsesOldSelf || !unchanged))
            {
                errors.Add(error);
            }
        }
    }

    private static FieldError? Run(CompiledRule rule, Dictionary<string, object?> variables, JsonNode value, StructuralSchema schema, string path)
    {
        try
        {
            if (CelEvaluator.Evaluate(rule.Program!, variables, CallBudget) is true)
            {
                return null;
            }
        }
        catch (CelException error)
        {
            string text = error.Message.StartsWith("no such overload", StringComparison.Ordinal)
                ? $"'{error.Message}': call arguments did not match a supported operator, function or macro signature for rule: {rule.Source.Rule.Trim()}"
                : error.Message.StartsWith(CelEvaluator.OverBudget, StringComparison.Ordinal)
                ? $"'{error.Message}': no further validation rules will be run due to call cost exceeds limit for rule: {rule.Source.Rule.Trim()}"
                : $"{error.Message} evaluating rule: {rule.Source.Rule.Trim()}";
            return Invalid(path, schema.Type, text);
        }

        string? shown = schema.Type is "object" or "array" ? null : Json.Compact(value);
        string field = rule.FieldPath.Length > 0 ? SchemaValidator.Join(path, rule.FieldPath) : path;
        field = field.Length == 0 ? SchemaValidator.NoField : field;
        string detail = Message(rule, variables);
        return rule.Source.Reason switch
        {
            "FieldValueRequired" => FieldError.Required(field, detail),
            "FieldValueForbidden" => FieldError.Forbidden(field, detail),
            "FieldValueDuplicate" => new FieldError(FieldErrorType.Duplicate, field, shown, ""),
            _ => new FieldError(FieldErrorType.Invalid, field, shown, detail),
        };
    }

    private static FieldError Invalid(string path, string type, string detail) =>
        FieldError.Invalid(path.Length == 0 ? SchemaValidator.NoField : path, Json.Quote(type), detail);

    // A message expression that fails, or gives nothing to print, falls back to the message.
    private static string Message(CompiledRule rule, Dictionary<string, object?> variables)
    {
        if (rule.Message is not null)
        {
            try
            {
                if (CelEvaluator.Evaluate(rule.Message, variables, CallBudget) is string text && text.Trim() is { Length: > 0 } trimmed && !trimmed.AsSpan().ContainsAny('\n', '\r'))
                {
                    return trimmed;
                }
            }
            catch (CelException)
            {
                return Fallback(rule);
            }
        }

        return Fallback(rule);
    }

    private static string Fallback(CompiledRule rule) =>
        rule.Source.Message.Trim() is { Length: > 0 } message ? message : "failed rule: " + rule.Source.Rule.Trim();
}
