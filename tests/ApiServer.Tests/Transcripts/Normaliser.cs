using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OptiInfra.ApiServer.Tests.Transcripts;

/// <summary>
/// Turns an answer into the form of the transcripts: what differs from run to run (uids, versions, times, generated
/// names, addresses, tokens) becomes a placeholder. Holds the state of one scenario.
/// </summary>
internal sealed partial class Normaliser(IEnumerable<string> groups)
{
    private static readonly HashSet<string> MicroKeys = ["renewTime", "acquireTime", "eventTime", "lastObservedTime"];
    private static readonly HashSet<string> VersionKeys = ["gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"];
    private static readonly HashSet<string> CoreResources = ["namespaces", "configmaps", "secrets", "services", "pods", "serviceaccounts", "events", "endpoints"];
    private static readonly HashSet<string> AppsResources = ["deployments", "statefulsets", "daemonsets", "replicasets"];

    private readonly Dictionary<string, int> versions = [];
    private readonly Dictionary<string, string> generated = [];
    private readonly HashSet<string> groups =
    [
        "apps", "coordination.k8s.io", "events.k8s.io", "discovery.k8s.io", "rbac.authorization.k8s.io", "apiextensions.k8s.io", .. groups,
    ];

    private JsonArray? lastColumns;

    public JsonNode? Body(byte[] raw, string contentType, IReadOnlyList<string> drop, string path, JsonArray? keep)
    {
        string text = System.Text.Encoding.UTF8.GetString(raw);
        if (text.Length == 0)
        {
            return null;
        }

        JsonNode? document = null;
        bool isJson = false;
        if (contentType.Contains("json") || path.StartsWith("/openapi/", StringComparison.Ordinal))
        {
            try
            {
                document = JsonNode.Parse(text);
                isJson = true;
            }
            catch (System.Text.Json.JsonException)
            {
                isJson = false;
            }
        }

        if (!isJson)
        {
            return Text(text, null);
        }

        if (keep is not null && document is JsonObject whole && whole["kind"]?.ToString() != "Status")
        {
            JsonObject kept = [];
            foreach (string pointer in keep.Select(node => node!.ToString()))
            {
                if (JsonPointer.TryGet(whole, pointer, out JsonNode? value))
                {
                    kept[pointer] = value?.DeepClone();
                }
            }

            document = kept;
        }

        return Document(document, drop, path);
    }

    public JsonNode? Document(JsonNode? document, IReadOnlyList<string> drop, string path)
    {
        if (document is JsonObject obj)
        {
            Discovery(obj, path);
            if (path == "/version")
            {
                foreach (string key in VersionKeys)
                {
                    obj[key] = "<any>";
                }
            }
        }

        Learn(document);
        if (document is not JsonObject status || status["kind"]?.ToString() != "Status")
        {
            foreach (string pointer in drop)
            {
                JsonPointer.Drop(document, pointer);
            }
        }

        return Walk(document, null, false);
    }

    /// <summary>Takes note of generated names and hashes before strings are rewritten.</summary>
    public void Learn(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject obj:
                if (obj["metadata"] is JsonObject metadata && metadata["generateName"]?.ToString() is { Length: > 0 } prefix && metadata["name"]?.ToString() is { } name)
                {
                    prefix = prefix.Length > 58 ? prefix[..58] : prefix;
                    if (name.StartsWith(prefix, StringComparison.Ordinal) && name.Length == prefix.Length + 5)
                    {
                        generated.TryAdd(name, prefix + "<gen>");
                    }
                }

                foreach (string label in (string[])["pod-template-hash", "controller-revision-hash"])
                {
                    if (obj["labels"] is JsonObject labels && labels[label]?.ToString() is { Length: > 0 } hash && !hash.Contains('<'))
                    {
                        generated.TryAdd(hash, "<hash>");
                    }
                }

                if (obj["name"] is JsonValue value && value.TryGetValue(out string? plain) && ApiAccess().IsMatch(plain))
                {
                    generated.TryAdd(plain, "kube-api-access-<gen>");
                }

                foreach ((_, JsonNode? child) in obj)
                {
                    Learn(child);
                }

                break;
            case JsonArray list:
                foreach (JsonNode? child in list)
                {
                    Learn(child);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>A refused generateName never comes back as an object; the name is found in the answer's text.</summary>
    public void LearnRequest(JsonNode? body, byte[] raw)
    {
        if (body is JsonObject sent && sent["metadata"] is JsonObject metadata && metadata["generateName"]?.ToString() is { Length: > 0 } prefix && string.IsNullOrEmpty(metadata["name"]?.ToString()))
        {
            prefix = prefix.Length > 58 ? prefix[..58] : prefix;
            foreach (Match match in Regex.Matches(System.Text.Encoding.UTF8.GetString(raw), Regex.Escape(prefix) + "[a-z0-9]{5}(?![A-Za-z0-9])"))
            {
                generated.TryAdd(match.Value, prefix + "<gen>");
            }
        }
    }

    public JsonNode? Walk(JsonNode? node, string? key, bool inListMeta)
    {
        switch (node)
        {
            case JsonArray list:
                IEnumerable<JsonNode?> items = key == "managedFields" ? list.OrderBy(Managers, StringComparer.Ordinal) : list;
                string? itemKey = key == "clusterIPs" ? "clusterIP" : key == "message" ? key : null;
                return new JsonArray([.. items.Select(item => Walk(item, itemKey, false))]);
            case JsonObject obj:
                return Members(obj);
            case JsonValue value when value.TryGetValue(out string? text):
                return Leaf(text, key, inListMeta);
            case JsonValue value when key is "nodePort" or "healthCheckNodePort" && value.GetValueKind() == System.Text.Json.JsonValueKind.Number && value.GetValue<int>() is >= 30000 and <= 32767:
                return "<nodePort>";
            default:
                return node?.DeepClone();
        }
    }

    private static string Managers(JsonNode? entry) =>
        string.Join('\0', ((string[])["manager", "operation", "subresource", "apiVersion"]).Select(field => entry?[field]?.ToString() ?? ""));

    private JsonValue Leaf(string text, string? key, bool inListMeta)
    {
        if (key == "resourceVersion")
        {
            return JsonValue.Create(!Digits().IsMatch(text) ? Text(text, null) : inListMeta ? "<rv>" : Number(text));
        }

        string shown = key switch
        {
            "continue" when text.Length > 0 => "<continue>",
            "clusterIP" when Address().IsMatch(text) => "<ip>",
            "serverAddress" => "<server>",
            _ => Text(text, key),
        };
        return JsonValue.Create(shown);
    }

    private string Number(string raw)
    {
        if (raw is "" or "0")
        {
            return raw;
        }

        if (!versions.TryGetValue(raw, out int number))
        {
            versions[raw] = number = versions.Count + 1;
        }

        return $"<rv:{number}>";
    }

    private JsonObject Members(JsonObject obj)
    {
        JsonObject result = [];
        string kind = obj["kind"] is JsonValue named && named.TryGetValue(out string? text) ? text : "";
        bool listLike = kind.EndsWith("List", StringComparison.Ordinal) || kind == "Table" || obj["items"] is JsonArray && obj["metadata"] is JsonObject;
        foreach ((string name, JsonNode? value) in obj)
        {
            JsonNode? walked = (name, value) switch
            {
                ("metadata", JsonObject metadata) when listLike => ListMeta(metadata),
                ("object", JsonObject bookmark) when obj["type"]?.ToString() == "BOOKMARK" => Bookmark(bookmark),
                ("rows", JsonArray rows) when kind == "Table" => new JsonArray([.. rows.Select(row => Row(row, obj["columnDefinitions"] as JsonArray))]),
                _ => Walk(value, name, false),
            };
            string shown = name.Length > 4 ? Text(name, null) : name;
            string unique = shown;
            for (int i = 2; result.ContainsKey(unique); i++)
            {
                unique = $"{shown}#{i}";
            }

            result[unique] = walked;
        }

        return result;
    }

    private JsonObject ListMeta(JsonObject metadata) => new(metadata.Select(pair => KeyValuePair.Create(pair.Key, Walk(pair.Value, pair.Key, true))));

    private JsonObject Bookmark(JsonObject bookmark) => new(bookmark.Select(pair =>
        KeyValuePair.Create(pair.Key, pair is { Key: "metadata", Value: JsonObject metadata } ? ListMeta(metadata) : Walk(pair.Value, pair.Key, false))));

    private JsonNode? Row(JsonNode? row, JsonArray? columns)
    {
        if (row is not JsonObject obj || obj["cells"] is not JsonArray cells)
        {
            return Walk(row, null, false);
        }

        columns ??= lastColumns;
        JsonObject copy = obj.DeepClone().AsObject();
        copy["cells"] = null;
        JsonObject walked = Members(copy);
        walked["cells"] = new JsonArray([.. cells.Select((cell, i) =>
        {
            JsonNode? column = columns is not null && i < columns.Count ? columns[i] : null;
            bool age = column?["type"]?.ToString() == "date" || column?["name"]?.ToString() is "Age" or "Last Seen" or "First Seen";
            return cell is JsonValue value && value.TryGetValue(out string? text) && age && Duration().IsMatch(text) ? "<age>" : Walk(cell, null, false);
        })]);
        return walked;
    }

    public void RememberColumns(JsonNode? table)
    {
        if (table?["kind"]?.ToString() == "Table" && table["columnDefinitions"] is JsonArray columns)
        {
            lastColumns = columns.DeepClone().AsArray();
        }
    }

    public string Text(string text, string? key)
    {
        bool micro = key is not null && MicroKeys.Contains(key);
        if (Seconds().IsMatch(text) && Recent(text))
        {
            return micro ? text : "<time>";
        }

        if (Micros().IsMatch(text) && Recent(text))
        {
            return micro ? "<time>" : text;
        }

        foreach ((string raw, string placeholder) in generated.OrderByDescending(pair => pair.Key.Length))
        {
            text = text.Replace(raw, placeholder);
        }

        if (text.Length < 16)
        {
            return text;
        }

        text = Uuid().Replace(text, "<uid>");
        text = Jwt().Replace(text, "<token>");
        text = Pem().Replace(text, "<pem>");
        text = Scheme().Replace(text, "in scheme \"<scheme>\"");
        text = TooOld().Replace(text, "$1<rv>$2");
        text = TooLarge().Replace(text, "$1<rv>");
        text = EmbeddedVersion().Replace(text, match =>
            match.Groups[1].Value + (versions.ContainsKey(match.Groups[2].Value) ? Number(match.Groups[2].Value) : "<rv>") + match.Groups[3].Value);
        if (VersionContext().IsMatch(text))
        {
            text = LongNumber().Replace(text, match => versions.TryGetValue(match.Value, out int number) ? $"<rv:{number}>" : match.Value);
        }

        return key is "message" or "note" or null ? AnyTime().Replace(text, match => Recent(match.Value) ? "<time>" : match.Value) : text;
    }

    private static bool Recent(string text) =>
        DateTime.TryParseExact(text[..19], "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime time)
        && Math.Abs((TimeProvider.System.GetUtcNow().UtcDateTime - time).TotalDays) < 2;

    private void Discovery(JsonObject body, string path)
    {
        switch (body["kind"]?.ToString())
        {
            case "APIGroupList":
                body["groups"] = Sorted(body["groups"], group => groups.Contains(group["name"]?.ToString() ?? ""), group => group["name"]!.ToString());
                break;
            case "APIGroupDiscoveryList":
                foreach (JsonObject group in body["items"]!.AsArray().OfType<JsonObject>())
                {
                    foreach (JsonObject version in group["versions"]!.AsArray().OfType<JsonObject>())
                    {
                        version["resources"] = Resources(group["metadata"]?["name"]?.ToString() ?? "", version["resources"], "resource");
                    }
                }

                body["items"] = Sorted(body["items"], group => group["metadata"]?["name"]?.ToString() is not { Length: > 0 } name || groups.Contains(name), group => group["metadata"]?["name"]?.ToString() ?? "");
                break;
            case "APIResourceList":
                string version1 = body["groupVersion"]?.ToString() ?? "";
                body["resources"] = Resources(version1.Contains('/') ? version1.Split('/')[0] : "", body["resources"], "name");
                break;
            default:
                if (path == "/openapi/v3" && body["paths"] is JsonObject paths)
                {
                    body["paths"] = new JsonObject(paths.Where(pair => pair.Key == "api/v1" || pair.Key.StartsWith("apis/", StringComparison.Ordinal) && groups.Contains(pair.Key.Split('/')[1]))
                        .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                        .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)new JsonObject
                        {
                            ["serverRelativeURL"] = Regex.Replace(pair.Value!["serverRelativeURL"]!.ToString(), "hash=[0-9A-F]+", "hash=<hash>"),
                        })));
                }

                break;
        }
    }

    private static JsonArray Sorted(JsonNode? list, Func<JsonNode, bool> keep, Func<JsonNode, string> by) =>
        [.. list!.AsArray().Where(item => keep(item!)).OrderBy(item => by(item!), StringComparer.Ordinal).Select(item => item!.DeepClone())];

    private static JsonArray Resources(string group, JsonNode? list, string key)
    {
        HashSet<string>? allowed = group.Length == 0 ? CoreResources : group == "apps" ? AppsResources : null;
        return Sorted(list ?? new JsonArray(), item => allowed is null || allowed.Contains(item[key]!.ToString().Split('/')[0]), item => item[key]!.ToString());
    }

    [GeneratedRegex(@"^kube-api-access-[a-z0-9]{5}\z")]
    private static partial Regex ApiAccess();

    [GeneratedRegex(@"^\d+\z")]
    private static partial Regex Digits();

    [GeneratedRegex(@"^([0-9.]+|[0-9a-f:]+:[0-9a-f:]*)\z")]
    private static partial Regex Address();

    [GeneratedRegex(@"^((\d+[smhdy])+|<invalid>)\z")]
    private static partial Regex Duration();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z")]
    private static partial Regex Seconds();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z")]
    private static partial Regex Micros();

    [GeneratedRegex(@"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")]
    private static partial Regex AnyTime();

    [GeneratedRegex(@"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b")]
    private static partial Regex Uuid();

    [GeneratedRegex(@"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")]
    private static partial Regex Jwt();

    [GeneratedRegex(@"-----BEGIN [A-Z ]+-----.*-----END [A-Z ]+-----\s*", RegexOptions.Singleline)]
    private static partial Regex Pem();

    [GeneratedRegex("in scheme \"[^\"]*\"")]
    private static partial Regex Scheme();

    [GeneratedRegex(@"(too old resource version: \S+ \()\d+(\))")]
    private static partial Regex TooOld();

    [GeneratedRegex(@"(Too large resource version: \d+, current: )\d+")]
    private static partial Regex TooLarge();

    [GeneratedRegex("(resourceVersion(?:\\\\?\": ?\\\\?\"|: \"))(\\d{2,})(\\\\?\")")]
    private static partial Regex EmbeddedVersion();

    [GeneratedRegex("resource ?version|precondition", RegexOptions.IgnoreCase)]
    private static partial Regex VersionContext();

    [GeneratedRegex(@"\b\d{2,}\b")]
    private static partial Regex LongNumber();
}
