using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// Checks a value against a schema and reports everything that is wrong, in the real server's words. With the old value
/// at hand it ratchets: what did not change is not held against the writer, so a tightened schema never locks an object.
/// </summary>
internal sealed class SchemaValidator
{
    /// <summary>Field of errors that belong to the object as a whole.</summary>
    public const string NoField = "<nil>";

    private readonly List<FieldError> errors = [];

    public static List<FieldError> Validate(StructuralSchema schema, JsonNode? value, string path = "", JsonNode? old = null)
    {
        var validator = new SchemaValidator();
        validator.Check(schema, value, path, old);
        return validator.errors;
    }

    private void Check(StructuralSchema schema, JsonNode? value, string path, JsonNode? old)
    {
        if (old is not null && Json.Equal(value, old))
        {
            return;
        }

        if (value is null)
        {
            CheckNull(schema, path);
            return;
        }

        CheckType(schema, value, path);
        CheckCombinations(schema.Rules, value, path);
        switch (value)
        {
            case JsonObject members:
                CheckEnum(schema.Rules, value, path);
                CheckMembers(schema, members, path, old as JsonObject);
                break;
            case JsonArray items:
                CheckItems(schema, items, path, old as JsonArray);
                CheckEnum(schema.Rules, value, path);
                break;
            default:
                CheckScalar(schema, value, path);
                CheckEnum(schema.Rules, value, path);
                break;
        }
    }

    private void CheckNull(StructuralSchema schema, string path)
    {
        string wanted = WantedType(schema);
        if (wanted.Length > 0 && !schema.Nullable)
        {
            errors.Add(TypeError(path, wanted, "null"));
        }

        CheckEnum(schema.Rules, null, path);
    }

    private static string WantedType(StructuralSchema schema) => schema.IntOrString && schema.Type.Length == 0 ? "integer,string" : schema.Type;

    private static FieldError TypeError(string path, string wanted, string found) =>
        new(FieldErrorType.TypeInvalid, path, $"\"{found}\"", $"{path} in body must be of type {wanted}: \"{found}\"");

    private static FieldError Whole(string detail) => FieldError.Invalid(NoField, "\"\"", detail);

    /// <summary>The JSON type of a value: a number without a fraction is an integer.</summary>
    public static string TypeOf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        _ when Json.IsString(value) => "string",
        _ when Json.IsBoolean(value) => "boolean",
        _ => Json.TryInteger(value, out _) ? "integer" : "number",
    };

    private void CheckType(StructuralSchema schema, JsonNode value, string path)
    {
        string wanted = WantedType(schema);
        if (wanted.Length == 0)
        {
            return;
        }

        string found = TypeOf(value);
        bool wholeFloat = found == "number" && Math.Abs(Json.ToDouble(value)) <= 9007199254740991 && Math.Floor(Json.ToDouble(value)) == Json.ToDouble(value);
        bool right = found == wanted
            || (schema.IntOrString && found is "integer" or "string" && wanted.Contains(found))
            || (wanted.Contains("integer") && wholeFloat)
            || (wanted == "number" && found == "integer");
        if (right)
        {
            return;
        }

        bool byFormat = schema.Format.Length > 0 && found is not ("string" or "array") && IsCheckedFormat(schema.Format);
        errors.Add(byFormat ? TypeError(path, schema.Format, NativeFormat(found)) : TypeError(path, wanted, found));
    }

    private static bool IsCheckedFormat(string format) => format is "int32" or "int64" or "float" or "double" or "date-time" or "date" or "byte" or "uuid" or "duration" or "email" or "cidr";

    private static string NativeFormat(string type) => type switch
    {
        "integer" => "int64",
        "number" => "float64",
        _ => "",
    };

    private void CheckEnum(ValueRules rules, JsonNode? value, string path)
    {
        if (rules.Enum is { } allowed && !allowed.Any(option => Json.Equal(option, value)))
        {
            string options = string.Join(", ", allowed.Select(static option => Json.Quote(option is null ? "null" : Json.AsString(option) ?? Json.Compact(option))));
            errors.Add(FieldError.NotSupported(path, Json.Compact(value), "supported values: " + options));
        }
    }

    private void CheckScalar(StructuralSchema schema, JsonNode value, string path)
    {
        if (Json.AsString(value) is { } text)
        {
            if (schema.Type is "string" or "" || schema.IntOrString)
            {
                CheckString(schema, text, path);
            }
        }
        else if (Json.IsNumber(value))
        {
            CheckNumber(schema, value, path);
        }
    }

    private void CheckString(StructuralSchema schema, string text, string path)
    {
        ValueRules rules = schema.Rules;
        int length = text.EnumerateRunes().Count();
        string shown = Json.Quote(text);
        if (rules.MaxLength is { } most && length > most)
        {
            errors.Add(new FieldError(FieldErrorType.TooLong, path, null, $"may not be more than {most} bytes"));
        }
        else if (rules.MinLength is { } least && length < least)
        {
            errors.Add(FieldError.Invalid(path, shown, $"{path} in body should be at least {least} chars long"));
        }
        else if (rules.Pattern is { } pattern && GoRegex.TryCompile(pattern, out Regex regex, out _) && !regex.IsMatch(text))
        {
            errors.Add(FieldError.Invalid(path, shown, $"{path} in body should match '{pattern}'"));
        }

        if (schema.Format.Length > 0 && !Formats.Matches(schema.Format, text))
        {
            errors.Add(new FieldError(FieldErrorType.TypeInvalid, path, shown, $"{path} in body must be of type {schema.Format}: {shown}"));
        }
    }

    private void CheckNumber(StructuralSchema schema, JsonNode value, string path)
    {
        ValueRules rules = schema.Rules;
        if (schema.Type == "integer" && !FitsFormat(schema.Format, value))
        {
            string format = schema.Format.Length > 0 ? "with format " + schema.Format : "(default format)";
            errors.Add(Whole($"Checked value must be of type integer {format} in {path}"));
        }

        double number = Json.ToDouble(value);
        string shown = Json.FormatNumber(value);
        if (rules.MultipleOf is { } factor && Math.Abs(number / factor - Math.Round(number / factor)) > 1e-9)
        {
            errors.Add(FieldError.Invalid(path, shown, $"{path} in body should be a multiple of {Text(factor)}"));
        }

        if (rules.Maximum is { } most && (rules.ExclusiveMaximum ? number >= most : number > most))
        {
            errors.Add(FieldError.Invalid(path, shown, $"{path} in body should be less than {(rules.ExclusiveMaximum ? "" : "or equal to ")}{Text(most)}"));
        }

        if (rules.Minimum is { } least && (rules.ExclusiveMinimum ? number <= least : number < least))
        {
            errors.Add(FieldError.Invalid(path, shown, $"{path} in body should be greater than {(rules.ExclusiveMinimum ? "" : "or equal to ")}{Text(least)}"));
        }
    }

    private static bool FitsFormat(string format, JsonNode value)
    {
        double number = Json.ToDouble(value);
        bool whole = Math.Floor(number) == number;
        return format switch
        {
            "int32" => whole && number is >= int.MinValue and <= int.MaxValue,
            _ => Json.TryInteger(value, out _) || (whole && Math.Abs(number) < 9.2e18),
        };
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private void CheckItems(StructuralSchema schema, JsonArray items, string path, JsonArray? old)
    {
        if (schema.Rules.MinItems is { } least && items.Count < least)
        {
            errors.Add(FieldError.Invalid(path, items.Count.ToString(CultureInfo.InvariantCulture), $"{path} in body should have at least {least} items"));
        }

        if (schema.Rules.MaxItems is { } most && items.Count > most)
        {
            errors.Add(TooMany(path, items.Count, most));
        }

        if (schema.Items is null)
        {
            return;
        }

        for (int i = 0; i < items.Count; i++)
        {
            Check(schema.Items, items[i], $"{path}[{i}]", Correlate(schema, items[i], old));
        }
    }

    private static FieldError TooMany(string path, int count, long most) =>
        new(FieldErrorType.TooMany, path, count.ToString(CultureInfo.InvariantCulture), $"must have at most {most} items");

    /// <summary>The old item that a new one continues: only lists of type map give their items an identity.</summary>
    public static JsonNode? Correlate(StructuralSchema list, JsonNode? item, JsonArray? old)
    {
        if (list.ListType != "map" || old is null || item is not JsonObject members)
        {
            return null;
        }

        return old.FirstOrDefault(candidate => candidate is JsonObject other && list.ListMapKeys.All(key => Json.Equal(other[key], members[key])));
    }

    private void CheckMembers(StructuralSchema schema, JsonObject members, string path, JsonObject? old)
    {
        ValueRules rules = schema.Rules;
        if (rules.MinProperties is { } least && members.Count < least)
        {
            errors.Add(FieldError.Invalid(path, members.Count.ToString(CultureInfo.InvariantCulture), $"{path} in body should have at least {least} properties"));
        }

        if (rules.MaxProperties is { } most && members.Count > most)
        {
            errors.Add(TooMany(path, members.Count, most));
        }

        foreach (string name in rules.Required)
        {
            if (!members.ContainsKey(name))
            {
                errors.Add(FieldError.Required(Join(path, name)));
            }
        }

        foreach ((string name, JsonNode? member) in members.OrderBy(static m => m.Key, StringComparer.Ordinal))
        {
            if ((schema.Field(name) ?? schema.Values) is { } child)
            {
                Check(child, member, Join(path, name), old?[name]);
            }
        }
    }

    public static string Join(string path, string name) => path.Length == 0 ? name : path + "." + name;

    private void CheckCombinations(ValueRules rules, JsonNode value, string path)
    {
        CheckAnyOf(rules, value, path);
        CheckOneOf(rules, value, path);
        CheckAllOf(rules, value, path);
        if (rules.Not is { } not && Validate(not, value, path).Count == 0)
        {
            errors.Add(Whole($"\"{path}\" must not validate the schema (not)"));
        }
    }

    private void CheckAnyOf(ValueRules rules, JsonNode value, string path)
    {
        List<List<FieldError>> results = [.. rules.AnyOf.Select(option => Validate(option, value, path))];
        if (results.Count > 0 && results.All(static result => result.Count > 0))
        {
            errors.Add(Whole($"\"{path}\" must validate at least one schema (anyOf)"));
            errors.AddRange(results[0]);
        }
    }

    private void CheckOneOf(ValueRules rules, JsonNode value, string path)
    {
        List<List<FieldError>> results = [.. rules.OneOf.Select(option => Validate(option, value, path))];
        int valid = results.Count(static result => result.Count == 0);
        if (results.Count > 0 && valid == 0)
        {
            errors.Add(Whole($"\"{path}\" must validate one and only one schema (oneOf). Found none valid"));
            errors.AddRange(results[0]);
        }
        else if (valid > 1)
        {
            errors.Add(Whole($"\"{path}\" must validate one and only one schema (oneOf). Found {valid} valid alternatives"));
        }
    }

    private void CheckAllOf(ValueRules rules, JsonNode value, string path)
    {
        List<List<FieldError>> results = [.. rules.AllOf.Select(option => Validate(option, value, path))];
        int valid = results.Count(static result => result.Count == 0);
        if (valid < results.Count)
        {
            errors.AddRange(results.SelectMany(static result => result));
            errors.Add(Whole($"\"{path}\" must validate all the schemas (allOf){(valid == 0 ? ". None validated" : "")}"));
        }
    }
}
