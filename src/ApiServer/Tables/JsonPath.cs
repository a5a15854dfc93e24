using System.Text;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Tables;

/// <summary>The JSONPath of printer columns: members (also quoted or escaped), indices, <c>[*]</c> and equality filters.</summary>
internal static class JsonPath
{
    public static IReadOnlyList<JsonNode?> Find(JsonNode? root, string path)
    {
        List<JsonNode?> found = [root];
        foreach (string step in Steps(path))
        {
            List<JsonNode?> next = [];
            foreach (JsonNode? node in found)
            {
                next.AddRange(Take(node, step));
            }

            found = next;
        }

        return found;
    }

    private static IEnumerable<JsonNode?> Take(JsonNode? node, string step)
    {
        if (!step.StartsWith('['))
        {
            return step == "*" ? All(node) : node is JsonObject obj && obj.TryGetPropertyValue(step, out JsonNode? member) ? [member] : [];
        }

        string inner = step[1..^1].Trim();
        if (inner == "*")
        {
            return All(node);
        }

        if (inner is ['\'', .., '\''] or ['"', .., '"'])
        {
            return node is JsonObject obj && obj.TryGetPropertyValue(inner[1..^1], out JsonNode? member) ? [member] : [];
        }

        if (inner.StartsWith("?(", StringComparison.Ordinal))
        {
            return All(node).Where(item => Passes(item, inner[2..^1]));
        }

        if (node is JsonArray array && int.TryParse(inner, out int index))
        {
            index = index < 0 ? array.Count + index : index;
            return index >= 0 && index < array.Count ? [array[index]] : [];
        }

        return [];
    }

    private static IEnumerable<JsonNode?> All(JsonNode? node) => node switch
    {
        JsonArray array => array,
        JsonObject obj => obj.Select(pair => pair.Value),
        _ => [],
    };

    private static bool Passes(JsonNode? item, string filter)
    {
        foreach (string op in (string[])["==", "!="])
        {
            int at = filter.IndexOf(op, StringComparison.Ordinal);
            if (at < 0)
            {
                continue;
            }

            string left = filter[..at].Trim().TrimStart('@');
            string right = filter[(at + 2)..].Trim().Trim('"', '\'');
            JsonNode? value = Find(item, left) is [var first, ..] ? first : null;
            string text = value is JsonValue scalar && scalar.TryGetValue(out string? plain) ? plain : value?.ToJsonString() ?? "";
            return text == right == (op == "==");
        }

        return Find(item, filter.Trim().TrimStart('@')).Count > 0;
    }

    private static List<string> Steps(string path)
    {
        List<string> steps = [];
        StringBuilder name = new();
        string text = path.Trim().TrimStart('{').TrimEnd('}').TrimStart('$');

        void End()
        {
            if (name.Length > 0)
            {
                steps.Add(name.ToString());
                name.Clear();
            }
        }

        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\\' && i + 1 < text.Length)
            {
                name.Append(text[++i]);
            }
            else if (c == '.')
            {
                End();
            }
            else if (c == '[')
            {
                End();
                int close = Close(text, i);
                steps.Add(text[i..(close + 1)]);
                i = close;
            }
            else
            {
                name.Append(c);
            }
        }

        End();
        return steps;
    }

    private static int Close(string text, int open)
    {
        int depth = 0;
        for (int i = open; i < text.Length; i++)
        {
            depth += text[i] switch { '[' => 1, ']' => -1, _ => 0 };
            if (depth == 0)
            {
                return i;
            }
        }

        return text.Length - 1;
    }
}
