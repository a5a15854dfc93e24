using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>
/// Server-side apply and the bookkeeping of who owns which field. Pure: an object and its managers in, the same out.
/// A write runs through it after decoding and defaulting, and before the server fills in what no client owns (status,
/// allocated addresses): <see cref="Update"/> for create, replace and patch, <see cref="Apply"/> for apply.
/// It guarantees what structured merge promises: an applier's field is only changed by force or by an updater, a field
/// goes when its last applier drops it and nobody else owns it, and reset fields (the status on the main resource, all
/// else on /status) are never owned.
/// </summary>
internal sealed record FieldManager(StructuralSchema Schema, string ApiVersion, string Kind)
{
    private const int MaxUpdateManagers = 10;
    private const string OldUpdatesManager = "ancient-changes";
    private const string BeforeFirstApply = "before-first-apply";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    private const string Kubectl = "kubectl";

    // Who an object is and what the server keeps about it belongs to nobody.
    private static readonly FieldSet Unowned = FieldSet.Of(
        ["f:apiVersion"], ["f:kind"], ["f:metadata"],
        ["f:metadata", "f:name"], ["f:metadata", "f:namespace"], ["f:metadata", "f:creationTimestamp"], ["f:metadata", "f:selfLink"],
        ["f:metadata", "f:uid"], ["f:metadata", "f:clusterName"], ["f:metadata", "f:generation"], ["f:metadata", "f:managedFields"],
        ["f:metadata", "f:resourceVersion"]);

    public string Subresource { get; init; } = "";

    /// <summary>Fields that the server takes from the stored object whatever the client sends; nobody comes to own them here.</summary>
    public FieldSet ResetFields { get; init; } = new();

    /// <summary>What a new object of the kind holds before anybody set anything (the structs of built-in kinds).</summary>
    public JsonObject Zero { get; init; } = [];

    /// <summary>Reset fields of the main resource of a kind with a status subresource, and of that subresource.</summary>
    public static FieldSet ResetFor(string subresource, bool hasStatus) => (subresource, hasStatus) switch
    {
        ("status", _) => FieldSet.Of(["f:metadata"], ["f:spec"]),
        ("", true) => FieldSet.Of(["f:status"]),
        _ => new FieldSet(),
    };

    /// <summary>
    /// Records the write of <paramref name="changed"/> over <paramref name="live"/> (null on creation) in its managedFields:
    /// whoever owned a changed field loses it to <paramref name="manager"/>.
    /// </summary>
    public void Update(JsonObject? live, JsonObject changed, string manager, DateTimeOffset now)
    {
        Dictionary<string, ManagerEntry> managers = ManagersOfUpdate(live, changed);
        bool untracked = managers.Count == 0 && live?["metadata"]?["uid"] is not null;
        JsonObject bare = WithoutManagedFields(changed);
        if (!untracked)
        {
            RecordUpdate(managers, WithoutManagedFields(live ?? Zero), bare, NameOf(manager), now);
            CapUpdateManagers(managers);
        }

        ManagedFields.Write(changed, managers.Values);
    }

    private Dictionary<string, ManagerEntry> ManagersOfUpdate(JsonObject? live, JsonObject changed)
    {
        Dictionary<string, ManagerEntry> stored = live is null ? [] : ManagedFields.Read(live) ?? [];
        if (Subresource.Length > 0)
        {
            return stored;
        }

        if (ManagedFields.IsReset(changed))
        {
            return [];
        }

        return ManagedFields.Read(changed) is { Count: > 0 } sent ? sent : stored;
    }

    private void RecordUpdate(Dictionary<string, ManagerEntry> managers, JsonObject live, JsonObject changed, string manager, DateTimeOffset now)
    {
        TypedComparison comparison = TypedComparison.Compare(Schema, live, changed).Without(ResetFields);
        FieldSet taken = comparison.Modified.Union(comparison.Added);
        Disown(managers, taken, comparison.Removed, except: null);
        FieldSet owned = taken.Difference(Unowned);
        if (owned.IsEmpty)
        {
            return;
        }

        var entry = new ManagerEntry(manager, "Update", ApiVersion, Subresource) { Fields = owned, Time = ManagedFields.FormatTime(now) };
        managers[entry.Identity] = managers.TryGetValue(entry.Identity, out ManagerEntry? before)
            ? entry with { Fields = owned.Union(before.Fields) }
            : entry;
    }

    private static void Disown(Dictionary<string, ManagerEntry> managers, FieldSet taken, FieldSet removed, string? except)
    {
        foreach ((string identity, ManagerEntry entry) in managers.ToList())
        {
            FieldSet left = identity == except ? entry.Fields : entry.Fields.Difference(taken).Difference(removed);
            if (left.IsEmpty)
            {
                managers.Remove(identity);
            }
            else
            {
                managers[identity] = entry with { Fields = left };
            }
        }
    }

    // Old updaters of one version are thrown together, oldest first, until few enough are left.
    private static void CapUpdateManagers(Dictionary<string, ManagerEntry> managers)
    {
        List<ManagerEntry> updaters = [.. managers.Values.Where(static entry => !entry.IsApply).OrderBy(static e => e.Time, StringComparer.Ordinal).ThenBy(static e => e.Identity, StringComparer.Ordinal)];
        int count = updaters.Count;
        var first = new Dictionary<string, ManagerEntry>();
        foreach (ManagerEntry entry in updaters)
        {
            if (count <= MaxUpdateManagers)
            {
                return;
            }

            if (first.TryAdd(entry.ApiVersion, entry))
            {
                continue;
            }

            var bucket = new ManagerEntry(OldUpdatesManager, "Update", entry.ApiVersion, "") { Fields = entry.Fields, Time = entry.Time };
            if (!managers.TryGetValue(bucket.Identity, out ManagerEntry? merged))
            {
                managers.Remove(first[entry.ApiVersion].Identity);
                merged = first[entry.ApiVersion];
            }

            managers.Remove(entry.Identity);
            managers[bucket.Identity] = bucket with { Fields = merged.Fields.Union(entry.Fields) };
            count--;
        }
    }

    /// <summary>
    /// Lays <paramref name="config"/> over <paramref name="live"/> (null when it does not exist yet). The result carries
    /// the new managedFields; for built-in kinds it still has to be decoded and defaulted like a request body.
    /// </summary>
    public ApplyResult Apply(JsonObject? live, JsonObject config, string manager, bool force, DateTimeOffset now)
    {
        if (CheckConfig(config) is { } refusal)
        {
            return new ApplyResult { Error = refusal };
        }

        Dictionary<string, ManagerEntry> managers = live is null ? [] : ManagedFields.Read(live) ?? [];
        JsonObject before = WithoutManagedFields(live ?? Zero);
        if (managers.Count == 0 && live is not null)
        {
            RecordUpdate(managers, WithoutManagedFields(Zero), before, BeforeFirstApply, now);
        }

        ApplyResult result = ApplyOnce(before, config, managers, manager, force, now);
        if (manager == Kubectl && result.Error?.Conflicts is { Count: > 0 } conflicts && LastAppliedFields(before) is { } allowed && conflicts.All(conflict => allowed.Contains(conflict.Path)))
        {
            result = ApplyOnce(before, config, managers, manager, force: true, now);
        }

        if (manager == Kubectl && result.Object?["metadata"]?["annotations"] is JsonObject annotations && annotations.ContainsKey(LastApplied))
        {
            annotations[LastApplied] = Json.Compact(config) + "\n";
        }

        return result;
    }

    private ApplyError? CheckConfig(JsonObject config)
    {
        string apiVersion = Json.AsString(config["apiVersion"]) ?? "";
        string kind = Json.AsString(config["kind"]) ?? "";
        if (apiVersion != ApiVersion || kind != Kind)
        {
            return ApplyError.BadRequest("invalid object type: " + GroupVersionKind(apiVersion, kind));
        }

        if (config["metadata"]?["managedFields"] is not null)
        {
            return ApplyError.BadRequest("metadata.managedFields must be nil");
        }

        List<string> errors = TypedShape.Check(Schema, config, allowDuplicates: false);
        if (errors.Count == 0)
        {
            return null;
        }

        string name = Json.AsString(config["metadata"]?["name"]) ?? "";
        string ns = Json.AsString(config["metadata"]?["namespace"]) ?? "";
        string what = errors.Count == 1 ? errors[0] : "errors:\n  " + string.Join("\n  ", errors);
        return ApplyError.Failed($"failed to create typed patch object ({ns}/{name}; {GroupVersionKind(apiVersion, kind)}): {what}");
    }

    private static string GroupVersionKind(string apiVersion, string kind) =>
        (apiVersion.Contains('/') ? apiVersion : "/" + apiVersion) + ", Kind=" + kind;

    private ApplyResult ApplyOnce(JsonObject live, JsonObject config, Dictionary<string, ManagerEntry> stored, string manager, bool force, DateTimeOffset now)
    {
        var managers = new Dictionary<string, ManagerEntry>(stored);
        JsonObject merged = TypedMerge.Merge(Schema, live, config);
        var entry = new ManagerEntry(NameOf(manager), "Apply", ApiVersion, Subresource)
        {
            Fields = TypedMerge.Fields(Schema, config).DifferenceWithDescendants(ResetFields),
        };
        string self = entry.Identity;
        managers.TryGetValue(self, out ManagerEntry? last);
        managers[self] = entry with { Time = last?.Time };
        JsonObject pruned = Prune(merged, managers, last?.Fields);

        TypedComparison comparison = TypedComparison.Compare(Schema, live, pruned).Without(ResetFields);
        FieldSet taken = comparison.Modified.Union(comparison.Added);
        List<FieldConflict> conflicts =
        [
            .. managers.Values.Where(other => other.Identity != self).OrderBy(static other => other.Identity, StringComparer.Ordinal)
                .SelectMany(other => other.Fields.Intersection(taken).DisplayPaths().Select(path => new FieldConflict(other.Display, path))),
        ];
        if (conflicts.Count > 0 && !force)
        {
            return new ApplyResult { Error = ApplyError.Conflict(conflicts) };
        }

        Disown(managers, taken, comparison.Removed, except: self);
        bool changed = !Json.Equal(live, pruned);
        if (managers.TryGetValue(self, out ManagerEntry? mine))
        {
            FieldSet owned = mine.Fields.Difference(Unowned);
            managers[self] = mine with { Fields = owned, Time = changed ? ManagedFields.FormatTime(now) : mine.Time };
            if (owned.IsEmpty)
            {
                managers.Remove(self);
            }
        }

        if (pruned["metadata"] is null)
        {
            pruned["metadata"] = new JsonObject();
        }

        ManagedFields.Write(pruned, managers.Values);
        return new ApplyResult { Object = pruned };
    }

    // Fields that this applier set last time and does not set now go, unless somebody else owns them.
    private JsonObject Prune(JsonObject merged, Dictionary<string, ManagerEntry> managers, FieldSet? last)
    {
        if (last is not { IsEmpty: false })
        {
            return merged;
        }

        FieldSet lastFields = last.WithDeclaredFieldsAsMembers(Schema);
        FieldSet mergedFields = TypedMerge.Fields(Schema, merged).WithDeclaredFieldsAsMembers(Schema);
        JsonObject pruned = TypedMerge.Remove(Schema, merged, lastFields);

        FieldSet owned = managers.Values.Aggregate(new FieldSet(), static (all, entry) => all.Union(entry.Fields)).WithDeclaredFieldsAsMembers(Schema);
        FieldSet left = TypedMerge.Fields(Schema, pruned).WithDeclaredFieldsAsMembers(Schema);
        pruned = TypedMerge.Remove(Schema, merged, mergedFields.Difference(left.Union(owned)));

        // What went although this applier never set it comes back.
        left = TypedMerge.Fields(Schema, pruned).WithDeclaredFieldsAsMembers(Schema);
        return TypedMerge.Remove(Schema, merged, mergedFields.Difference(left).Intersection(lastFields));
    }

    // kubectl moves from client-side to server-side apply: it may take over what its own annotation says it set.
    private HashSet<string>? LastAppliedFields(JsonObject live)
    {
        if (Json.AsString(live["metadata"]?["annotations"]?[LastApplied]) is not { } text || JsonReader.Read(text).Value is not JsonObject applied)
        {
            return null;
        }

        return [.. TypedMerge.Fields(Schema, applied).DisplayPaths()];
    }

    private static string NameOf(string manager) => manager.Length == 0 ? "unknown" : manager;

    private static JsonObject WithoutManagedFields(JsonObject @object)
    {
        JsonObject copy = @object.DeepClone().AsObject();
        (copy["metadata"] as JsonObject)?.Remove("managedFields");
        return copy;
    }

    /// <summary>
    /// When a write changes nothing but the times in managedFields, the old times are put back, so that it changes nothing.
    /// </summary>
    public static void KeepTimesIfNothingElseChanged(JsonObject stored, JsonObject changed)
    {
        if (stored["metadata"]?["managedFields"] is JsonArray before && changed["metadata"]?["managedFields"] is JsonArray after
            && Json.Equal(WithoutTimes(before), WithoutTimes(after)) && Json.Equal(WithoutManagedFields(stored), WithoutManagedFields(changed)))
        {
            changed["metadata"]!["managedFields"] = before.DeepClone();
        }
    }

    private static JsonArray WithoutTimes(JsonArray entries)
    {
        List<JsonObject> copies = [.. entries.OfType<JsonObject>().Select(static entry => entry.DeepClone().AsObject())];
        copies.ForEach(static entry => entry.Remove("time"));
        return [.. copies.OrderBy(static entry => Json.Compact(entry), StringComparer.Ordinal)];
    }
}

/// <summary>One field that somebody else owns.</summary>
internal sealed record FieldConflict(string Manager, string Path);

/// <summary>Why an apply was refused: status code, message, and the causes of a conflict.</summary>
internal sealed record ApplyError(int Code, string Message)
{
    public IReadOnlyList<FieldConflict> Conflicts { get; init; } = [];

    public static ApplyError BadRequest(string message) => new(400, message);

    /// <summary>What the real server reports as an internal error: a configuration that does not fit the schema.</summary>
    public static ApplyError Failed(string message) => new(500, message);

    public static ApplyError Conflict(IReadOnlyList<FieldConflict> conflicts)
    {
        if (conflicts.Count == 1)
        {
            return new ApplyError(409, $"Apply failed with 1 conflict: conflict with {conflicts[0].Manager}: {conflicts[0].Path}") { Conflicts = conflicts };
        }

        IEnumerable<string> lines = conflicts.GroupBy(static conflict => conflict.Manager).OrderBy(static group => group.Key, StringComparer.Ordinal)
            .SelectMany(static group => group.Select(static conflict => "- " + conflict.Path).Prepend($"conflicts with {group.Key}:"));
        return new ApplyError(409, $"Apply failed with {conflicts.Count} conflicts: {string.Join('\n', lines)}") { Conflicts = conflicts };
    }
}

/// <summary>The object to store, or why there is none.</summary>
internal sealed record ApplyResult
{
    public JsonObject? Object { get; init; }

    public ApplyError? Error { get; init; }
}
