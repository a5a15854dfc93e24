using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>Keeps metadata.managedFields: who last set which field.</summary>
internal sealed class FieldTracker(ApiCore core)
{
    private readonly ConcurrentDictionary<(ResourceInfo Info, string Subresource), FieldManager> managers = new(ByReference.Instance);

    public void TrackCreate(ResourceInfo info, JsonObject obj, WriteOptions options)
    {
        // An applied object comes with its managers.
        if (!options.Apply)
        {
            Of(info, options.Subresource).Update(null, obj, options.Manager, core.Clock.GetUtcNow());
        }
    }

    public void TrackUpdate(ResourceInfo info, JsonObject live, JsonObject wanted, WriteOptions options)
    {
        if (!options.Apply)
        {
            Of(info, options.Subresource).Update(live, wanted, options.Manager, core.Clock.GetUtcNow());
            if (UnknownElsewhere(info, live, wanted) is not null)
            {
                // Managers of a version that lacks one of the fields cannot be kept; the real server forgets them all.
                wanted.Obj("metadata")?.Remove("managedFields");
            }
        }
        else if (UnknownElsewhere(info, live, wanted) is { } field)
        {
            throw ApiError.Internal($".{field}: field not declared in schema");
        }

        if (options.Subresource == "scale")
        {
            TrimScaleEntries(info, wanted);
        }
    }

    /// <summary>A field of the object that the version of one of its managers does not declare; null when there is none.</summary>
    private string? UnknownElsewhere(ResourceInfo info, JsonObject live, JsonObject wanted)
    {
        if (!info.IsCustom)
        {
            return null;
        }

        foreach (string version in live.Obj("metadata").Arr("managedFields").Objects().Select(entry => entry.Str("apiVersion") ?? "").Distinct())
        {
            if (version != info.ApiVersion && core.Registry.Current.Find(info.Group, version[(version.IndexOf('/') + 1)..], info.Plural) is { } other
                && CustomDecoder.Decode(other.Rules.Schema, BuiltinSchemas.ObjectMeta, wanted).UnknownFields is [var unknown, ..])
            {
                return unknown;
            }
        }

        return null;
    }

    /// <summary>A Scale shows neither when a field was set nor a count of zero, and so its entries do not either.</summary>
    private static void TrimScaleEntries(ResourceInfo info, JsonObject wanted)
    {
        string path = info.Subresources.First(sub => sub.Scale is not null).Scale!.SpecReplicas;
        JsonArray entries = wanted.Obj("metadata").Arr("managedFields") ?? [];
        foreach (JsonObject entry in entries.Objects().Where(entry => entry.Str("subresource") == "scale").ToArray())
        {
            entry.Remove("time");
            if ((wanted.At(path).Int() ?? 0) == 0)
            {
                entries.Remove(entry);
            }
        }
    }

    public FieldManager Of(ResourceInfo info, string subresource) => managers.GetOrAdd((info, subresource), static key => new FieldManager(
        key.Info.Rules.Schema, key.Info.ApiVersion, key.Info.Kind)
    {
        // The server's own parts write through doors of their own, which are no subresources to anybody else.
        Subresource = key.Subresource switch { "controller" or "finalize" => "", "kubelet" => "status", string other => other },
        ResetFields = FieldManager.ResetFor(key.Subresource, key.Info.HasStatus),
        Zero = key.Info.IsCustom || key.Info.Rules.Schema.Properties is null ? [] : TypedDecoder.Zero(key.Info.Rules.Schema),
    });

    /// <summary>Resources are compared by identity: two records with equal fields would be walked member by member.</summary>
    private sealed class ByReference : IEqualityComparer<(ResourceInfo Info, string Subresource)>
    {
        public static readonly ByReference Instance = new();

        public bool Equals((ResourceInfo Info, string Subresource) x, (ResourceInfo Info, string Subresource) y) =>
            ReferenceEquals(x.Info, y.Info) && x.Subresource == y.Subresource;

        public int GetHashCode((ResourceInfo Info, string Subresource) key) =>
            HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(key.Info), key.Subresource);
    }
}
