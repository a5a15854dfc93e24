using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OptiInfra.ApiServer.Tests.Transcripts;

/// <summary>Plays one recorded scenario against a server and gives each step's answer in the form of the transcript.</summary>
internal sealed partial class ScenarioRunner(JsonObject scenario, HttpClient client)
{
    private readonly Normaliser normaliser = new((scenario["discoveryGroups"] as JsonArray ?? []).Select(group => group!.ToString()));
    private readonly Dictionary<string, JsonNode?> variables = [];
    private readonly Dictionary<string, (Task<WatchResult> Result, JsonObject Step)> watches = [];

    private sealed record Answer(int Status, IReadOnlyList<(string Name, string Value)> Headers, byte[] Raw, string ContentType);

    private sealed record WatchResult(Answer Head, List<JsonNode?> Events, TimeSpan Ended);

    /// <summary>True for every step whose answer is the recorded one.</summary>
    public async Task<List<(string Step, bool Exact, bool Loose, string Difference)>> RunAsync(CancellationToken cancellation)
    {
        List<(string, bool, bool, string)> results = [];
        foreach (JsonObject step in scenario["steps"]!.AsArray().OfType<JsonObject>())
        {
            JsonNode? got;
            try
            {
                got = await StepAsync(step, cancellation);
            }
            catch (Exception e) when (e is HttpRequestException or KeyNotFoundException or IOException)
            {
                got = new JsonObject { ["error"] = e.Message };
            }

            string? exact = Difference(step["response"], got, "", loose: false, null);
            string? loose = exact is null ? null : Difference(step["response"], got, "", loose: true, null);
            results.Add((step["name"]!.ToString(), exact is null, loose is null, exact ?? ""));
        }

        return results;
    }

    private async Task<JsonNode?> StepAsync(JsonObject step, CancellationToken cancellation)
    {
        switch (step["kind"]?.ToString())
        {
            case "sleep":
                int ms = step["ms"]!.GetValue<int>();
                await Task.Delay(ms, cancellation);
                return new JsonObject { ["slept"] = ms };
            case "watch":
                return await OpenWatchAsync(step, cancellation);
            case "collect":
                return await CollectAsync(step);
            case "wait":
                return await WaitAsync(step, cancellation);
            default:
                return Shown(step, await SendAsync(step, cancellation));
        }
    }

    private async Task<JsonNode?> WaitAsync(JsonObject step, CancellationToken cancellation)
    {
        DateTimeOffset end = TimeProvider.System.GetUtcNow().AddMilliseconds(Math.Min(step["timeoutMs"]?.GetValue<int>() ?? 30000, 20000));
        TimeSpan stable = TimeSpan.FromMilliseconds(step["stableMs"]?.GetValue<int>() ?? 0);
        DateTimeOffset since = default;
        string? last = null;
        while (true)
        {
            Answer answer = await SendAsync(step, cancellation);
            JsonNode? document = Parse(answer.Raw);
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            bool holds = step["until"]!.AsArray().All(condition => Holds(condition!.AsObject(), answer.Status, document));
            string text = Regex.Replace(Encoding.UTF8.GetString(answer.Raw), "\"metadata\":\\{\"resourceVersion\":\"\\d+\"", "");
            if (!holds)
            {
                last = null;
            }
            else if (text != last)
            {
                (since, last) = (now, text);
            }

            if (holds && now - since >= stable)
            {
                return Shown(step, answer);
            }

            if (now > end)
            {
                return new JsonObject { ["error"] = "wait timed out" };
            }

            await Task.Delay(50, cancellation);
        }
    }

    private bool Holds(JsonObject condition, int status, JsonNode? document)
    {
        if (condition["status"] is { } wanted)
        {
            return status == wanted.GetValue<int>();
        }

        bool there = JsonPointer.TryGet(document, condition["pointer"]!.ToString(), out JsonNode? value);
        if (condition["absent"]?.GetValue<bool>() == true)
        {
            return !there;
        }

        return there
            && (!condition.TryGetPropertyValue("equals", out JsonNode? equal) || JsonNode.DeepEquals(value, Substitute(equal)))
            && (condition["count"] is not { } count || (value is JsonArray list ? list.Count : value is JsonObject obj ? obj.Count : -1) == count.GetValue<int>());
    }

    private JsonObject Shown(JsonObject step, Answer answer)
    {
        JsonObject shown = new() { ["status"] = answer.Status };
        normaliser.LearnRequest(Substitute(step["request"]!["body"]), answer.Raw);
        if ((step["compare"]?.ToString() ?? "all") == "all")
        {
            string path = Target(step).Path.Split('?')[0];
            shown["headers"] = Headers(answer);
            JsonNode? body = normaliser.Body(answer.Raw, answer.ContentType, Drops(step), path, step["keep"] as JsonArray);
            shown["body"] = step["unordered"]?.GetValue<bool>() == true ? SortedCauses(body) : body;
        }
        else
        {
            normaliser.Learn(Parse(answer.Raw));
        }

        Capture(step, Parse(answer.Raw));
        return shown;
    }

    private void Capture(JsonObject step, JsonNode? document)
    {
        foreach ((string name, JsonNode? pointer) in step["capture"] as JsonObject ?? [])
        {
            variables[name] = JsonPointer.TryGet(document, pointer!.ToString(), out JsonNode? value) ? value?.DeepClone() : throw new KeyNotFoundException($"nothing to capture as {name}");
        }
    }

    private List<string> Drops(JsonObject step) => [.. ((step["drop"] ?? scenario["drop"]) as JsonArray ?? []).Select(pointer => pointer!.ToString())];

    private async Task<Answer> SendAsync(JsonObject step, CancellationToken cancellation)
    {
        using HttpRequestMessage request = Request(step);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        byte[] raw = await response.Content.ReadAsByteArrayAsync(cancellation);
        return Head(response) with { Raw = raw };
    }

    private async Task<JsonNode?> OpenWatchAsync(JsonObject step, CancellationToken cancellation)
    {
        long started = TimeProvider.System.GetTimestamp();
        HttpRequestMessage request = Request(step);
        HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        Answer head = Head(response);
        watches[step["name"]!.ToString()] = (ReadEventsAsync(response, head, started, cancellation), step);
        return new JsonObject { ["status"] = head.Status, ["headers"] = Headers(head) };
    }

    private static async Task<WatchResult> ReadEventsAsync(HttpResponseMessage response, Answer head, long started, CancellationToken cancellation)
    {
        using (response)
        {
            List<JsonNode?> events = [];
            using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellation));
            if (head.Status != 200)
            {
                return new WatchResult(head with { Raw = Encoding.UTF8.GetBytes(await reader.ReadToEndAsync(cancellation)) }, events, default);
            }

            while (await reader.ReadLineAsync(cancellation) is { } line)
            {
                if (line.Length > 0)
                {
                    events.Add(JsonNode.Parse(line));
                }
            }

            return new WatchResult(head, events, TimeProvider.System.GetElapsedTime(started));
        }
    }

    private async Task<JsonNode?> CollectAsync(JsonObject step)
    {
        (Task<WatchResult> pending, JsonObject opened) = watches[step["watch"]!.ToString()];
        WatchResult result = await pending.WaitAsync(TimeSpan.FromSeconds(60));
        if (result.Head.Status != 200)
        {
            return new JsonObject { ["status"] = result.Head.Status, ["body"] = normaliser.Body(result.Head.Raw, result.Head.ContentType, Drops(step), "", null) };
        }

        List<JsonNode?> events = Bookmarks(result.Events, step["bookmarks"]?.ToString() ?? "keep");
        JsonArray raw = [.. events.Select(change => change?.DeepClone())];
        foreach (JsonNode? change in events)
        {
            normaliser.Learn(change?["object"]);
            if (change?["type"]?.ToString() != "ERROR")
            {
                Drops(step).ForEach(pointer => JsonPointer.Drop(change?["object"], pointer));
            }
        }

        JsonArray shown = [];
        foreach (JsonNode? change in events)
        {
            normaliser.RememberColumns(change?["object"]);
            JsonNode? walked = normaliser.Walk(change, null, false);
            if (step["dedupe"]?.GetValue<bool>() != true || shown.Count == 0 || !JsonNode.DeepEquals(shown[^1], walked))
            {
                shown.Add(walked);
            }
        }

        JsonObject answer = new() { ["status"] = 200, ["events"] = shown };
        if (opened["request"]!["query"]?["timeoutSeconds"] is { } timeout)
        {
            double wanted = double.Parse(Substitute(timeout)!.ToString());
            answer["closedOnTime"] = step["early"]?.GetValue<bool>() == true || result.Ended.TotalSeconds >= wanted - 0.5 && result.Ended.TotalSeconds <= wanted + 30;
        }

        Capture(step, new JsonObject { ["events"] = raw });
        return answer;
    }

    private static List<JsonNode?> Bookmarks(List<JsonNode?> events, string keep)
    {
        if (keep == "keep")
        {
            return events;
        }

        List<JsonNode?> kept = [.. events.Where(change =>
            change?["type"]?.ToString() != "BOOKMARK" || change["object"]?["metadata"]?["annotations"]?["k8s.io/initial-events-end"] is not null)];
        if (keep == "last" && events.Count > 0 && events[^1]?["type"]?.ToString() == "BOOKMARK" && !kept.Contains(events[^1]))
        {
            kept.Add(events[^1]);
        }

        return kept;
    }

    private (string Path, Uri Uri) Target(JsonObject step)
    {
        string path = Substitute(step["request"]!["path"])!.ToString();
        StringBuilder target = new(Quoted(path));
        char separator = '?';
        foreach ((string name, JsonNode? value) in step["request"]!["query"] as JsonObject ?? [])
        {
            foreach (JsonNode? item in value is JsonArray many ? [.. many] : new[] { value })
            {
                target.Append(separator).Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(Substitute(item)?.ToString() ?? ""));
                separator = '&';
            }
        }

        UriCreationOptions asIs = new() { DangerousDisablePathAndQueryCanonicalization = true };
        return (path, new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + target, in asIs));
    }

    private static string Quoted(string path) => string.Concat(path.Select(c => char.IsAsciiLetterOrDigit(c) || "/:@!$&'()*+,;=~%-._".Contains(c) ? c.ToString() : Uri.EscapeDataString(c.ToString())));

    private HttpRequestMessage Request(JsonObject step)
    {
        JsonObject wanted = step["request"]!.AsObject();
        HttpRequestMessage request = new(new HttpMethod(wanted["method"]?.ToString() ?? "GET"), Target(step).Uri);
        Dictionary<string, string> headers = (wanted["headers"] as JsonObject ?? []).ToDictionary(
            pair => pair.Key.ToLowerInvariant(), pair => Substitute(pair.Value)!.ToString());
        headers.TryAdd("accept", "application/json");
        headers.TryAdd("user-agent", "transcript/1.0");
        headers.TryAdd("authorization", "Bearer " + TranscriptTests.Token);
        byte[]? body = wanted["bodyText"] is { } text ? Encoding.UTF8.GetBytes(Substitute(text)!.ToString())
            : wanted.ContainsKey("body") ? Encoding.UTF8.GetBytes(Substitute(wanted["body"])?.ToJsonString() ?? "null") : null;
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            string type = headers.GetValueOrDefault("content-type", "application/json");
            if (type.Length > 0)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            }
        }

        foreach ((string name, string value) in headers)
        {
            if (name is not "content-type" && (value.Length > 0 || name != "accept"))
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }

    private static Answer Head(HttpResponseMessage response)
    {
        List<(string, string)> headers = [];
        foreach ((string name, IEnumerable<string> values) in response.Headers.NonValidated.Select(pair => (pair.Key, (IEnumerable<string>)pair.Value))
                     .Concat(response.Content.Headers.NonValidated.Select(pair => (pair.Key, (IEnumerable<string>)pair.Value))))
        {
            headers.AddRange(values.Select(value => (name.ToLowerInvariant(), value)));
        }

        return new Answer((int)response.StatusCode, headers, [], headers.FirstOrDefault(header => header.Item1 == "content-type").Item2 ?? "");
    }

    private JsonObject Headers(Answer answer)
    {
        JsonObject shown = [];
        JsonArray warnings = [];
        foreach ((string name, string value) in answer.Headers)
        {
            if (name == "warning")
            {
                warnings.Add((JsonNode)normaliser.Text(value, null));
            }
            else if (name is "content-type" or "retry-after")
            {
                shown[name] = value;
            }
        }

        if (warnings.Count > 0)
        {
            shown["warning"] = warnings;
        }

        return shown;
    }

    private JsonNode? Substitute(JsonNode? node)
    {
        switch (node)
        {
            case JsonValue value when value.TryGetValue(out string? text):
                Match whole = Variable().Match(text);
                return whole.Success && whole.Length == text.Length
                    ? variables[whole.Groups[1].Value]?.DeepClone()
                    : JsonValue.Create(Variable().Replace(text, match => variables[match.Groups[1].Value]?.ToString() ?? ""));
            case JsonArray list:
                return new JsonArray([.. list.Select(Substitute)]);
            case JsonObject obj when obj.Count == 1 && obj["$repeat"] is JsonArray repeat:
                int count = repeat[1]!.GetValue<int>();
                return repeat[0] is JsonArray many
                    ? new JsonArray([.. Enumerable.Repeat(many, count).SelectMany(items => items.Select(Substitute))])
                    : JsonValue.Create(new StringBuilder().Insert(0, repeat[0]!.ToString(), count).ToString());
            case JsonObject obj:
                return new JsonObject(obj.Select(pair => KeyValuePair.Create(
                    pair.Key.Contains("${") ? Substitute(JsonValue.Create(pair.Key))!.ToString() : pair.Key, Substitute(pair.Value))));
            default:
                return node?.DeepClone();
        }
    }

    private static JsonNode? Parse(byte[] raw)
    {
        try
        {
            return raw.Length == 0 ? null : JsonNode.Parse(raw);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static JsonNode? SortedCauses(JsonNode? body)
    {
        if (body is not JsonObject shown || shown["details"]?["causes"] is not JsonArray { Count: > 1 } causes)
        {
            return body;
        }

        string[] parts = [.. causes.Select(cause => $"{cause!["field"]}: {cause["message"]}").Distinct()];
        string message = body["message"]?.ToString() ?? "";
        int open = message.IndexOf('[');
        if (open >= 0 && message[open..] == "[" + string.Join(", ", parts) + "]")
        {
            body["message"] = message[..open] + "[" + string.Join(", ", parts.Order(StringComparer.Ordinal)) + "]";
        }

        body["details"]!["causes"] = new JsonArray(
            [.. causes.OrderBy(cause => cause!["field"]?.ToString(), StringComparer.Ordinal).ThenBy(cause => cause!["message"]?.ToString(), StringComparer.Ordinal).Select(cause => cause!.DeepClone())]);
        return body;
    }

    /// <summary>The first difference; loosely, messages only have to be there, and warnings to be as many.</summary>
    private static string? Difference(JsonNode? want, JsonNode? got, string path, bool loose, string? key)
    {
        if (want is JsonObject left && got is JsonObject right)
        {
            return left.Select(pair => pair.Key).Union(right.Select(pair => pair.Key))
                .Select(name => left.ContainsKey(name) != right.ContainsKey(name)
                    ? $"{path}/{name}: {(left.ContainsKey(name) ? "is missing" : "is too much")}"
                    : Difference(left[name], right[name], $"{path}/{name}", loose, name))
                .FirstOrDefault(difference => difference is not null);
        }

        if (want is JsonArray wanted && got is JsonArray given)
        {
            return wanted.Count != given.Count ? $"{path}: {wanted.Count} expected, {given.Count} given"
                : loose && key == "warning" ? null
                : wanted.Select((item, i) => Difference(item, given[i], $"{path}/{i}", loose, null)).FirstOrDefault(difference => difference is not null);
        }

        bool same = JsonNode.DeepEquals(want, got) || loose && key == "message" && want is JsonValue && got is JsonValue;
        return same ? null : $"{path}: expected {want?.ToJsonString() ?? "null"}, got {got?.ToJsonString() ?? "null"}";
    }

    [GeneratedRegex(@"\$\{([A-Za-z0-9_.-]+)\}")]
    private static partial Regex Variable();
}
