using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>One page of a list.</summary>
internal sealed record Page(IReadOnlyList<StoredObject> Objects, long Revision, string? Continue, long? Remaining);

/// <summary>Gets and lists. Pages of one list show one revision, found by undoing the log, or the list is answered with 410.</summary>
internal sealed class ObjectReader(ApiCore core)
{
    private const string TooOld = "The resourceVersion for the provided list is too old.";

    private const string ContinueTooOld =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, " +
        "or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an " +
        "inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

    public StoredObject Get(ResourceInfo info, string ns, string name, RequestQuery query)
    {
        string version = query.Text("resourceVersion") ?? "";
        if (version is not ("" or "0"))
        {
            CheckReached(ParseVersion(version));
        }

        return core.Store.Find(info.Table, StoredObject.KeyOf(info.Namespaced ? ns : "", name)) ?? throw ApiError.NotFound(info, name);
    }

    public Page List(ResourceInfo info, string ns, ListOptions options)
    {
        string? start = null;
        long at = 0;
        bool consistentContinue = false;
        if (options.Continue is { } token)
        {
            if (options.ResourceVersion.Length > 0)
            {
                throw ApiError.BadRequest("specifying resource version is not allowed when using continue");
            }

            (start, at) = ContinueToken.Read(token);
            consistentContinue = at > 0;
            at = Math.Max(at, 0);
        }
        else if (options.ResourceVersion.Length > 0)
        {
            long version = ParseVersion(options.ResourceVersion);
            CheckReached(version);
            if (options.Match == "Exact" || options.Match.Length == 0 && options.Limit > 0 && version > 0)
            {
                at = version;
            }
        }

        StoredObject[] all;
        long revision;
        if (at > 0)
        {
            revision = at;
            all = core.Store.SnapshotAt(info.Table, at) ?? throw (consistentContinue ? Expired(start!) : ApiError.Expired(TooOld));
        }
        else
        {
            (all, revision, _) = core.Store.Snapshot(info.Table);
        }

        // A list at version 0 may come from a cache that does not page.
        long limit = options.ResourceVersion == "0" && options.Match != "Exact" ? 0 : Math.Max(options.Limit, 0);
        return Cut(info, ns, options, all, revision, start, limit);
    }

    public static bool Matches(StoredObject obj, ListOptions options)
    {
        if (options.Labels is { } labels)
        {
            JsonObject? have = obj.Metadata.Obj("labels");
            foreach (LabelRequirement requirement in labels)
            {
                if (!requirement.Matches(have))
                {
                    return false;
                }
            }
        }

        return true;
    }

    public static bool MatchesFields(ResourceInfo info, StoredObject obj, ListOptions options)
    {
        if (options.Fields is not { } fields)
        {
            return true;
        }

        JsonObject view = info.FromStorage is null ? obj.View : VersionConverter.FromStorage(info, obj);
        return fields.All(field => field.Matches(view));
    }

    private static Page Cut(ResourceInfo info, string ns, ListOptions options, StoredObject[] all, long revision, string? start, long limit)
    {
        string prefix = info.Namespaced && ns.Length > 0 ? ns + "/" : "";
        int from = start is null && prefix.Length == 0 ? 0 : LowerBound(all, prefix + start);
        List<StoredObject> found = [];
        int i = from;
        for (; i < all.Length; i++)
        {
            StoredObject obj = all[i];
            if (prefix.Length > 0 && !obj.Key.StartsWith(prefix, StringComparison.Ordinal))
            {
                break;
            }

            if (limit > 0 && found.Count == limit)
            {
                long? remaining = options.Selects ? null : CountLeft(all, prefix, i);
                return new Page(found, revision, ContinueToken.Write(Relative(prefix, found[^1].Key), revision), remaining);
            }

            if (Matches(obj, options) && MatchesFields(info, obj, options))
            {
                found.Add(obj);
            }
        }

        return new Page(found, revision, null, null);
    }

    private static string Relative(string prefix, string key) => key[prefix.Length..];

    private static long CountLeft(StoredObject[] all, string prefix, int from)
    {
        int end = from;
        while (end < all.Length && all[end].Key.StartsWith(prefix, StringComparison.Ordinal))
        {
            end++;
        }

        return end - from;
    }

    private static int LowerBound(StoredObject[] all, string key)
    {
        int low = 0;
        int high = all.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (string.CompareOrdinal(all[middle].Key, key) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static long ParseVersion(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong version)
        ? (long)Math.Min(version, long.MaxValue)
        : throw ApiError.BadRequest(
            $"invalid resource version: resourceVersion: Invalid value: {MetadataRules.Quote(text)}: strconv.ParseUint: parsing {MetadataRules.Quote(text)}: invalid syntax");

    private void CheckReached(long version)
    {
        if (version > core.Store.Revision)
        {
            throw ApiError.VersionTooLarge(version, core.Store.Revision);
        }
    }

    private static ApiError Expired(string start)
    {
        // The client may go on without consistency: the token of the answer starts after the same object at the current version.
        ApiError error = ApiError.Expired(ContinueTooOld);
        return error.WithContinue(ContinueToken.WriteInconsistent(start));
    }
}

/// <summary>The continue parameter: base64 of a small JSON document, in the real server's format.</summary>
internal static class ContinueToken
{
    private const string Version = "meta.k8s.io/v1";

    public static string Write(string lastKey, long revision) => Encode(new JsonObject { ["v"] = Version, ["rv"] = revision, ["start"] = lastKey + "\0" });

    public static string WriteInconsistent(string start) => Encode(new JsonObject { ["v"] = Version, ["rv"] = -1L, ["start"] = start });

    /// <summary>Where to start, and at which revision; -1 is the current one.</summary>
    public static (string Start, long Revision) Read(string token)
    {
        JsonObject body;
        byte[] bytes;
        try
        {
            string padded = token.Replace('-', '+').Replace('_', '/');
            bytes = Convert.FromBase64String(padded + new string('=', (4 - padded.Length % 4) % 4));
        }
        catch (FormatException)
        {
            throw Bad("illegal base64 data at input byte 0");
        }

        try
        {
            body = JsonBytes.ReadObject(bytes);
        }
        catch (JsonException)
        {
            throw Bad(bytes.Length == 0 ? "unexpected end of JSON input" : $"invalid character '\\x{bytes[0]:x2}' looking for beginning of value");
        }

        if (body.Str("v") != Version)
        {
            throw Bad($"server does not recognize this encoded version {body.Str("v")}");
        }

        string start = body.Str("start") ?? "";
        if (start.Length == 0)
        {
            throw Bad("no start key provided");
        }

        string clean = start.TrimEnd('\0');
        if (clean.StartsWith("..", StringComparison.Ordinal) || clean.Contains("/../") || clean.StartsWith('/'))
        {
            throw Bad(start);
        }

        return body.Int("rv") is { } revision and not 0 ? (start, revision) : throw Bad("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
    }

    private static ApiError Bad(string why) => ApiError.BadRequest("invalid continue token: continue key is not valid: " + why);

    private static string Encode(JsonObject body) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(JsonBytes.Text(body))).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
