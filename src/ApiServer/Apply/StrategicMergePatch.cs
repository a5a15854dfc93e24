using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>
/// Strategic merge patch of a built-in kind: lists merge by the key that the kind's schema names, and directives in the
/// patch say more ($patch, $retainKeys, $setElementOrder/…, $deleteFromPrimitiveList/…). Items of the patch come before
/// items that only the object has, unless the object already ordered them.
/// </summary>
internal static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string ElementOrder = "$setElementOrder/";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";

    public static PatchResult Apply(JsonObject target, JsonText patch, StructuralSchema schema)
    {
        if (patch.Error is not null)
        {
            return PatchResult.Refused(400, "error decoding patch: " + patch.Error);
        }

        if (patch.Value is not JsonObject changes)
        {
            return PatchResult.Refused(400, $"error decoding patch: json: cannot unmarshal {MergePatch.NameOf(patch.Value)} into Go value of type map[string]interface {{}}");
        }

        try
        {
            return new PatchResult { Object = MergeMap(target.DeepClone().AsObject(), changes, schema) };
        }
        catch (DirectiveException error)
        {
            return PatchResult.Refused(500, error.Message);
        }
    }

    private static JsonObject MergeMap(JsonObject original, JsonObject patch, StructuralSchema? schema)
    {
        switch (patch[Directive] is { } directive ? Json.AsString(directive) ?? "" : null)
        {
            case "replace":
                return WithoutDirectives(patch).AsObject();
            case "delete":
                return [];
            case null or "merge":
                break;
            case string unknown:
                throw new DirectiveException($"unknown patch type: {unknown} in map: {Json.GoValue(patch)}");
        }

        if (patch[RetainKeys] is JsonArray retained)
        {
            KeepOnly(original, patch, retained);
        }

        foreach ((string name, JsonNode? change) in patch)
        {
            if (name.StartsWith(DeleteFromList, StringComparison.Ordinal))
            {
                DeleteItems(original, name[DeleteFromList.Length..], change as JsonArray ?? []);
            }
            else if (name.StartsWith(ElementOrder, StringComparison.Ordinal))
            {
                MergeOrdered(original, patch, name[ElementOrder.Length..], change as JsonArray ?? [], schema);
            }
            else if (name is not (Directive or RetainKeys) && !patch.ContainsKey(ElementOrder + name))
            {
                MergeMember(original, name, change, schema?.Member(name));
            }
        }

        return original;
    }

    private static void MergeMember(JsonObject original, string name, JsonNode? change, StructuralSchema? schema)
    {
        if (change is null)
        {
            original.Remove(name);
            return;
        }

        JsonNode? merged = (original[name], change) switch
        {
            (JsonObject before, JsonObject members) when schema?.Typed?.Patch is not "replace" => MergeMap(before.DeepClone().AsObject(), members, schema),
            (JsonArray before, JsonArray items) when schema?.Typed is { MergesList: true } => MergeList(before, items, schema),
            _ => WithoutDirectives(change),
        };

        // {"$patch": "delete"} takes the map away altogether.
        if (change is JsonObject { } deleted && Json.AsString(deleted[Directive]) == "delete")
        {
            original.Remove(name);
        }
        else
        {
            original[name] = merged;
        }
    }

    private static void KeepOnly(JsonObject original, JsonObject patch, JsonArray retained)
    {
        HashSet<string> names = [.. retained.Select(static name => Json.AsString(name) ?? "")];
        if (patch.Any(member => member.Key[0] != '$' && member.Value is not null && !names.Contains(member.Key)))
        {
            throw new DirectiveException("patch contains fields that are not in the $retainKeys list: " + Json.GoValue(patch));
        }

        foreach (string name in original.Select(static member => member.Key).Where(name => !names.Contains(name)).ToList())
        {
            original.Remove(name);
        }
    }

    private static void DeleteItems(JsonObject original, string name, JsonArray doomed)
    {
        if (original[name] is JsonArray items)
        {
            original[name] = new JsonArray([.. items.Where(item => !doomed.Any(gone => Json.Equal(gone, item))).Select(Json.Clone)]);
        }
    }

    private static void MergeOrdered(JsonObject original, JsonObject patch, string name, JsonArray order, StructuralSchema? schema)
    {
        StructuralSchema? list = schema?.Member(name);
        if (list?.Typed is not { MergesList: true } || (patch.ContainsKey(name) && patch[name] is null))
        {
            MergeMember(original, name, patch[name], list);
            return;
        }

        JsonArray before = original[name] as JsonArray ?? [];
        JsonArray merged = patch[name] is JsonArray items ? MergeList(before, items, list) : before.DeepClone().AsArray();
        original[name] = Reorder(merged, order, before, list.Typed.PatchMergeKey);
    }

    private static JsonArray MergeList(JsonArray original, JsonArray patch, StructuralSchema schema)
    {
        string key = schema.Typed!.PatchMergeKey;
        if (key.Length == 0)
        {
            IEnumerable<JsonNode?> added = patch.Where(item => !original.Any(known => Json.Equal(known, item)));
            return Reorder(new JsonArray([.. original.Concat(added).Select(Json.Clone)]), patch, original, key);
        }

        var merged = original.DeepClone().AsArray();
        var kept = new JsonArray();
        foreach (JsonNode? node in patch)
        {
            JsonObject item = node as JsonObject ?? throw new DirectiveException("expected a map in the list, got " + Json.GoValue(node));
            string? directive = item[Directive] is { } name ? Json.AsString(name) ?? "" : null;
            if (directive == "replace")
            {
                return new JsonArray([.. patch.OfType<JsonObject>().Where(static other => !other.ContainsKey(Directive)).Select(WithoutDirectives)]);
            }

            if (directive is not (null or "delete" or "merge"))
            {
                throw new DirectiveException($"unknown patch type: {directive} in map: {Json.GoValue(item)}");
            }

            JsonNode id = item[key] ?? throw new DirectiveException($"map: {Json.GoValue(item)} does not contain declared merge key: {key}");
            if (directive == "delete")
            {
                RemoveItem(merged, key, id);
                continue;
            }

            MergeItem(merged, item, key, id, schema.Items);
            kept.Add(item.DeepClone());
        }

        return Reorder(merged, kept, original, key);
    }

    private static void RemoveItem(JsonArray items, string key, JsonNode id)
    {
        for (int i = items.Count - 1; i >= 0; i--)
        {
            if (Json.Equal(items[i]?[key], id))
            {
                items.RemoveAt(i);
            }
        }
    }

    private static void MergeItem(JsonArray items, JsonObject change, string key, JsonNode id, StructuralSchema? schema)
    {
        for (int i = 0; i < items.Count; i++)
        {
            if (items[i] is JsonObject known && Json.Equal(known[key], id))
            {
                items[i] = MergeMap(known.DeepClone().AsObject(), change, schema);
                return;
            }
        }

        items.Add(WithoutDirectives(change));
    }

    // Items named by the order come in that order; the others keep theirs and stand before a named item only where the
    // original list says so.
    private static JsonArray Reorder(JsonArray merged, JsonArray order, JsonArray original, string key)
    {
        int Place(JsonArray list, JsonNode? item)
        {
            for (int i = 0; i < list.Count; i++)
            {
                if (Json.Equal(key.Length == 0 ? list[i] : list[i]?[key], key.Length == 0 ? item : item?[key]))
                {
                    return i;
                }
            }

            return -1;
        }

        var named = new Queue<JsonNode?>(merged.Where(item => Place(order, item) >= 0).OrderBy(item => Place(order, item)));
        var others = new Queue<JsonNode?>(merged.Where(item => Place(order, item) < 0).OrderBy(item => Place(original, item)));
        var result = new JsonArray();
        while (named.Count > 0 || others.Count > 0)
        {
            bool takeOther = named.Count == 0
                || (others.Count > 0 && Place(original, named.Peek()) >= 0 && Place(original, others.Peek()) >= 0 && Place(original, others.Peek()) < Place(original, named.Peek()));
            result.Add(Json.Clone((takeOther ? others : named).Dequeue()));
        }

        return result;
    }

    // What is new to the object is taken as it is, but directives are not content.
    private static JsonNode WithoutDirectives(JsonNode value) => value switch
    {
        JsonObject members => new JsonObject(members.Where(static m => !IsDirective(m.Key) && m.Value is not null).Select(static m => KeyValuePair.Create<string, JsonNode?>(m.Key, WithoutDirectives(m.Value!)))),
        JsonArray items => new JsonArray([.. items.Where(static item => Json.AsString((item as JsonObject)?[Directive]) != "delete").Select(static item => item is null ? null : WithoutDirectives(item))]),
        _ => value.DeepClone(),
    };

    private static bool IsDirective(string name) =>
        name is Directive or RetainKeys || name.StartsWith(ElementOrder, StringComparison.Ordinal) || name.StartsWith(DeleteFromList, StringComparison.Ordinal);

    /// <summary>
    /// Why a patched object cannot be the kind: a member whose value has the wrong shape; null when it fits. The message
    /// goes into an Invalid cause of the field <c>patch</c>.
    /// </summary>
    public static string? ShapeError(StructuralSchema schema, JsonNode? value)
    {
        if (value is null || schema.IntOrString || schema.Type.Length == 0 || (schema.PreserveUnknown && schema.Properties is null) || schema.Format is "quantity" or "date-time" or "micro-time" or "byte")
        {
            return null;
        }

        return (schema.Type, value) switch
        {
            ("object", JsonObject members) => members.Select(member => schema.Member(member.Key) is { } child ? ShapeError(child, member.Value) : null).FirstOrDefault(static error => error is not null),
            ("array", JsonArray items) => schema.Items is null ? null : items.Select(item => ShapeError(schema.Items, item)).FirstOrDefault(static error => error is not null),
            ("object", _) => (schema.Properties is null ? "cannot restore map from " : "cannot restore struct from: ") + GoKind(value),
            ("array", _) => "cannot restore slice from " + GoKind(value),
            ("string", _) => Json.IsString(value) ? null : $"cannot convert {GoKind(value)} to string",
            ("boolean", _) => Json.IsBoolean(value) ? null : $"cannot convert {GoKind(value)} to bool",
            ("integer", _) => Json.IsNumber(value) ? null : $"cannot convert {GoKind(value)} to {(schema.Format.Length > 0 ? schema.Format : "int64")}",
            _ => null,
        };
    }

    private static string GoKind(JsonNode value) => value switch
    {
        JsonObject => "map",
        JsonArray => "slice",
        _ => Json.GoType(value),
    };

    private sealed class DirectiveException(string message) : Exception(message);
}
