using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Tests.Transcripts;

/// <summary>The pointers of transcripts: RFC 6901, plus <c>*</c> for every element and <c>[key=value]</c> to pick from a list.</summary>
internal static class JsonPointer
{
    public static bool TryGet(JsonNode? node, string pointer, out JsonNode? found)
    {
        found = node;
        foreach (string part in Parts(pointer))
        {
            if (!TryPick(found, part, out found))
            {
                return false;
            }
        }

        return true;
    }

    public static void Drop(JsonNode? node, string pointer)
    {
        string[] parts = Parts(pointer);
        if (parts.Length > 0)
        {
            Drop(node, parts);
        }
    }

    private static void Drop(JsonNode? node, ReadOnlySpan<string> parts)
    {
        string head = parts[0];
        ReadOnlySpan<string> rest = parts[1..];
        if (head == "*")
        {
            if (rest.IsEmpty)
            {
                (node as JsonObject)?.Clear();
                (node as JsonArray)?.Clear();
                return;
            }

            foreach (JsonNode? child in Children(node))
            {
                Drop(child, rest);
            }
        }
        else if (rest.IsEmpty)
        {
            if (node is JsonObject obj)
            {
                obj.Remove(head);
            }
            else if (node is JsonArray list)
            {
                while (TryPick(list, head, out JsonNode? item))
                {
                    list.Remove(item);
                    if (!head.StartsWith('['))
                    {
                        break;
                    }
                }
            }
        }
        else if (TryPick(node, head, out JsonNode? child))
        {
            Drop(child, rest);
            bool empty = child is JsonObject { Count: 0 } or JsonArray { Count: 0 };
            if (empty && head is "annotations" or "labels" or "managedFields" && child is JsonObject { Count: 0 } or JsonArray { Count: 0 })
            {
                (node as JsonObject)?.Remove(head);
            }
        }
    }

    private static JsonNode?[] Children(JsonNode? node) => node switch
    {
        JsonObject obj => [.. obj.Select(pair => pair.Value)],
        JsonArray list => [.. list],
        _ => [],
    };

    private static bool TryPick(JsonNode? node, string part, out JsonNode? found)
    {
        found = null;
        switch (node)
        {
            case JsonObject obj:
                return obj.TryGetPropertyValue(part, out found);
            case JsonArray list when part.StartsWith('['):
                string[] pair = part[1..^1].Split('=', 2);
                found = list.FirstOrDefault(item => item is JsonObject candidate && candidate[pair[0]]?.ToString() == pair[1]);
                return found is not null;
            case JsonArray list when int.TryParse(part, out int index):
                index = index < 0 ? list.Count + index : index;
                found = index >= 0 && index < list.Count ? list[index] : null;
                return index >= 0 && index < list.Count;
            default:
                return false;
        }
    }

    private static string[] Parts(string pointer) =>
        pointer is "" or "/" ? [] : [.. pointer[1..].Split('/').Select(part => part.Replace("~1", "/").Replace("~0", "~"))];
}
