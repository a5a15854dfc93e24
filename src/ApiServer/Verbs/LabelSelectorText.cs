using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;

namespace OptiInfra.ApiServer.Verbs;

internal enum LabelOperator
{
    Exists,
    DoesNotExist,
    In,
    NotIn,
    GreaterThan,
    LessThan,
}

internal sealed record LabelRequirement(string Key, LabelOperator Operator, IReadOnlyList<string> Values)
{
    public bool Matches(JsonObject? labels)
    {
        string? value = labels.Str(Key);
        return Operator switch
        {
            LabelOperator.Exists => value is not null,
            LabelOperator.DoesNotExist => value is null,
            LabelOperator.In => value is not null && Values.Contains(value),
            LabelOperator.NotIn => value is null || !Values.Contains(value),
            LabelOperator.GreaterThan => long.TryParse(value, out long have) && have > long.Parse(Values[0]),
            _ => long.TryParse(value, out long have) && have < long.Parse(Values[0]),
        };
    }
}

/// <summary>
/// The labelSelector query parameter: <c>a=b,c!=d,e in (f,g),h,!i,j&gt;1</c>. Errors are worded as the real server words them.
/// </summary>
internal sealed class LabelSelectorText
{
    private readonly List<(string Kind, string Text)> tokens;
    private int at;

    private LabelSelectorText(string text) => tokens = Lex(text);

    /// <summary>Null selects everything.</summary>
    public static IReadOnlyList<LabelRequirement>? Parse(string? text) =>
        string.IsNullOrEmpty(text) ? null : new LabelSelectorText(text).ParseAll();

    private (string Kind, string Text) Peek => tokens[at];

    private (string Kind, string Text) Next() => tokens[at < tokens.Count - 1 ? at++ : at];

    private static List<(string Kind, string Text)> Lex(string text)
    {
        List<(string, string)> tokens = [];
        int i = 0;
        while (i < text.Length)
        {
            char c = text[i];
            if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if ("=!(),<>".Contains(c))
            {
                int start = i++;
                while (i < text.Length && "=!<>".Contains(c) && text[i] == '=')
                {
                    i++;
                }

                tokens.Add(("symbol", text[start..i]));
            }
            else
            {
                int start = i;
                while (i < text.Length && !char.IsWhiteSpace(text[i]) && !"=!(),<>".Contains(text[i]))
                {
                    i++;
                }

                string word = text[start..i];
                tokens.Add((word is "in" or "notin" ? "operator" : "word", word));
            }
        }

        tokens.Add(("end", ""));
        return tokens;
    }

    private List<LabelRequirement> ParseAll()
    {
        List<LabelRequirement> found = [];
        while (Peek.Kind != "end")
        {
            (string kind, string text) = Peek;
            if (kind == "symbol" && text != "!")
            {
                throw ApiError.BadRequest($"found '{text}', expected: !, identifier, or 'end of string'");
            }

            found.Add(ParseRequirement());
            (kind, text) = Next();
            if (kind == "end")
            {
                break;
            }

            if (text != ",")
            {
                throw ApiError.BadRequest($"found '{text}', expected: ',' or 'end of string'");
            }

            if (Peek.Kind is not ("word" or "operator") && Peek.Text != "!")
            {
                throw ApiError.BadRequest($"found '{Peek.Text}', expected: identifier after ','");
            }
        }

        return found;
    }

    private LabelRequirement ParseRequirement()
    {
        bool negated = Peek.Text == "!";
        if (negated)
        {
            Next();
        }

        (string kind, string key) = Next();
        if (kind is not ("word" or "operator"))
        {
            throw ApiError.BadRequest($"unable to parse requirement: found '{key}', expected: identifier");
        }

        if (MetadataRules.QualifiedNameErrors(key) is [string problem, ..])
        {
            throw ApiError.BadRequest($"unable to parse requirement: <nil>: Invalid value: {MetadataRules.Quote(key)}: {problem}");
        }

        if (negated || Peek.Kind == "end" || Peek.Text == ",")
        {
            return new LabelRequirement(key, negated ? LabelOperator.DoesNotExist : LabelOperator.Exists, []);
        }

        string op = Next().Text;
        return op switch
        {
            "=" or "==" => new(key, LabelOperator.In, [ExactValue(key)]),
            "!=" => new(key, LabelOperator.NotIn, [ExactValue(key)]),
            ">" or "<" => Compared(key, op),
            "in" => new(key, LabelOperator.In, ValueList()),
            "notin" => new(key, LabelOperator.NotIn, ValueList()),
            _ => throw ApiError.BadRequest($"unable to parse requirement: found '{op}', expected: in, notin, =, ==, !=, gt, lt"),
        };
    }

    private LabelRequirement Compared(string key, string op)
    {
        string value = ExactValue(key);
        return long.TryParse(value, out _)
            ? new(key, op == ">" ? LabelOperator.GreaterThan : LabelOperator.LessThan, [value])
            : throw ApiError.BadRequest(
                $"unable to parse requirement: values[0]: Invalid value: {MetadataRules.Quote(value)}: for 'Gt', 'Lt' operators, the value must be an integer");
    }

    private string ExactValue(string key)
    {
        if (Peek.Kind == "end" || Peek.Text == ",")
        {
            return "";
        }

        (string kind, string text) = Next();
        if (kind is not ("word" or "operator"))
        {
            throw ApiError.BadRequest($"unable to parse requirement: found '{text}', expected: identifier");
        }

        return Checked(key, text, 0);
    }

    private List<string> ValueList()
    {
        (_, string open) = Next();
        if (open != "(")
        {
            throw ApiError.BadRequest($"unable to parse requirement: found '{open}' expected: '('");
        }

        List<string> values = [];
        while (true)
        {
            (string kind, string text) = Next();
            if (kind is "word" or "operator")
            {
                values.Add(text);
                (_, text) = Next();
            }
            else if (text is "," or ")")
            {
                values.Add("");
            }

            if (text == ")")
            {
                return [.. values.Distinct()];
            }

            if (text != ",")
            {
                throw ApiError.BadRequest($"unable to parse requirement: found '{text}', expected: ',', or identifier");
            }
        }
    }

    private static string Checked(string key, string value, int index) => MetadataRules.LabelValueError(value) is { } problem
        ? throw ApiError.BadRequest($"unable to parse requirement: values[{index}][{key}]: Invalid value: {MetadataRules.Quote(value)}: {problem}")
        : value;
}
