using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>
/// Serves CustomResourceDefinitions: accepts their names when nobody else has them, establishes them, keeps the registry
/// in step, and on deletion removes the objects before it lets the definition go.
/// </summary>
internal sealed class DefinitionController(ApiCore core) : Controller(core)
{
    public const string TableName = "customresourcedefinitions.apiextensions.k8s.io";

    protected override IReadOnlyList<string> Tables => [TableName];

    protected override IEnumerable<(string Table, string Key)> KeysOf(string table, StoredObject obj, StoreEventType type)
    {
        yield return (table, obj.Key);
        if (type == StoreEventType.Deleted)
        {
            // Its names are free now; whoever waited for them may have them.
            foreach (StoredObject other in Core.Store.Snapshot(TableName).Objects)
            {
                yield return (table, other.Key);
            }
        }
    }

    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        StoredObject? stored = Core.Store.Find(TableName, key);
        if (stored is null)
        {
            Unserve(key);
            return;
        }

        JsonObject definition = stored.View.Clone();
        if (stored.IsDeleting)
        {
            await RemoveObjectsAsync(definition, key, cancellation).ConfigureAwait(false);
            return;
        }

        JsonObject status = definition.Ensure("status");
        string before = JsonBytes.Text(status);
        AcceptNames(definition, key);
        bool established = IsTrue(status, "Established");
        if (JsonBytes.Text(status) != before)
        {
            await WriteStatusAsync(key, status, cancellation).ConfigureAwait(false);
            return;
        }

        if (established)
        {
            Serve(definition);
        }
        else
        {
            Unserve(key);
        }
    }

    /// <summary>Serves everything that is established already; called once before the first request.</summary>
    public void ServeRestored()
    {
        foreach (StoredObject stored in Core.Store.Snapshot(TableName).Objects)
        {
            if (IsTrue(stored.View.Obj("status") ?? [], "Established"))
            {
                Serve(stored.View.Clone());
            }
        }
    }

    private void AcceptNames(JsonObject definition, string key)
    {
        JsonObject spec = definition.Obj("spec") ?? [];
        JsonObject status = definition.Ensure("status");
        JsonObject names = spec.Obj("names") ?? [];
        JsonObject[] others =
        [
            .. Core.Store.Snapshot(TableName).Objects
                .Where(other => other.Key != key && other.View.Obj("spec").Str("group") == spec.Str("group"))
                .Select(other => other.View.Obj("status").Obj("acceptedNames") ?? []),
        ];
        JsonObject accepted = status.Obj("acceptedNames")?.Clone() ?? [];
        (string Reason, string Message)? conflict = null;
        HashSet<string> resources = Taken(others, "plural", "singular", "shortNames");
        HashSet<string> kinds = Taken(others, "kind", "listKind");

        void Take(string field, string reason, HashSet<string> taken)
        {
            string[] wanted = names[field] is JsonArray list ? [.. list.Strings()] : [names.Str(field) ?? ""];
            string[] clashes = [.. wanted.Where(taken.Contains)];
            if (clashes.Length > 0)
            {
                // The last conflict is the one that is told.
                conflict = (reason, string.Join(", ", clashes.Select(name => $"\"{name}\" is already in use")));
            }
            else if (names[field] is { } value)
            {
                accepted[field] = value.DeepClone();
            }
            else
            {
                accepted.Remove(field);
            }
        }

        Take("plural", "PluralConflict", resources);
        Take("singular", "SingularConflict", resources);
        Take("shortNames", "ShortNamesConflict", resources);
        Take("kind", "KindConflict", kinds);
        Take("listKind", "ListKindConflict", kinds);
        Take("categories", "", []);
        status["acceptedNames"] = accepted;
        SetCondition(status, "NamesAccepted", conflict is null, conflict?.Reason ?? "NoConflicts", conflict?.Message ?? "no conflicts found");
        if (!IsTrue(status, "Established"))
        {
            SetCondition(
                status,
                "Established",
                conflict is null,
                conflict is null ? "InitialNamesAccepted" : "NotAccepted",
                conflict is null ? "the initial names have been accepted" : "not all names are accepted");
        }
    }

    private static HashSet<string> Taken(JsonObject[] others, params string[] fields) =>
    [
        .. others.SelectMany(other => fields.SelectMany(field => other[field] is JsonArray list ? list.Strings() : [other.Str(field) ?? ""]))
            .Where(name => name.Length > 0),
    ];

    private void SetCondition(JsonObject status, string type, bool holds, string reason, string message)
    {
        JsonArray conditions = status.Arr("conditions") ?? [];
        JsonObject wanted = new()
        {
            ["type"] = type,
            ["status"] = holds ? "True" : "False",
            ["lastTransitionTime"] = Core.Now(),
            ["reason"] = reason,
            ["message"] = message,
        };
        JsonObject? known = conditions.Objects().FirstOrDefault(condition => condition.Str("type") == type);
        if (known is null)
        {
            conditions.Add((JsonNode)wanted);
        }
        else if (known.Str("status") != wanted.Str("status") || known.Str("reason") != reason || known.Str("message") != message)
        {
            conditions[conditions.IndexOf(known)] = wanted;
        }

        if (status["conditions"] is null)
        {
            status["conditions"] = conditions;
        }
    }

    private static bool IsTrue(JsonObject status, string type) =>
        status.Arr("conditions").Objects().Any(condition => condition.Str("type") == type && condition.Str("status") == "True");

    private void Serve(JsonObject definition)
    {
        string name = definition.Obj("metadata").Str("name")!;
        ResourceInfo[] made = [.. CustomResources.Of(definition)];
        Core.Registry.Update(all => all.Where(info => NameOf(info) != name).Concat(made));
    }

    private void Unserve(string name)
    {
        if (Core.Registry.Current.All.Any(info => NameOf(info) == name))
        {
            Core.Registry.Update(all => all.Where(info => NameOf(info) != name));
        }
    }

    private static string? NameOf(ResourceInfo info) => info.Custom?.Definition.Obj("metadata").Str("name");

    private async Task WriteStatusAsync(string key, JsonObject status, CancellationToken cancellation)
    {
        ResourceInfo info = Core.Registry.Current.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions")!;
        await Core.Writer.UpdateAsync(
            info,
            "",
            key,
            current =>
            {
                current!["status"] = status.Clone();
                current.Obj("metadata")!.Remove("resourceVersion");
                return current!;
            },
            WriteOptions.Internal("kube-apiserver") with { Subresource = "status" },
            cancellation).ConfigureAwait(false);
    }

    private async Task RemoveObjectsAsync(JsonObject definition, string key, CancellationToken cancellation)
    {
        ResourceInfo? served = Core.Registry.Current.All.FirstOrDefault(info => NameOf(info) == key);
        bool left = false;
        if (served is not null)
        {
            foreach (StoredObject obj in Core.Store.Snapshot(served.Table).Objects)
            {
                (string ns, string name) = StoredObject.SplitKey(obj.Key);
                Deleted deleted = await Core.Deleter.DeleteAsync(
                    served, ns, name, new DeleteOptions(), WriteOptions.Internal("kube-apiserver"), cancellation).ConfigureAwait(false);
                left |= !deleted.Gone;
            }
        }

        if (left)
        {
            EnqueueLater(TableName, key, TimeSpan.FromMilliseconds(100));
            return;
        }

        Unserve(key);
        ResourceInfo info = Core.Registry.Current.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions")!;
        _ = definition;
        await Core.Writer.UpdateAsync(
            info,
            "",
            key,
            current =>
            {
                JsonObject metadata = current!.Obj("metadata")!;
                metadata.Remove("resourceVersion");
                string[] rest = [.. metadata.Arr("finalizers").Strings().Where(finalizer => finalizer != DefinitionDeletion.Finalizer)];
                metadata.Remove("finalizers");
                if (rest.Length > 0)
                {
                    metadata["finalizers"] = new JsonArray([.. rest.Select(name => (JsonNode)JsonValue.Create(name))]);
                }

                return current!;
            },
            WriteOptions.Internal("kube-apiserver"),
            cancellation).ConfigureAwait(false);
    }
}
