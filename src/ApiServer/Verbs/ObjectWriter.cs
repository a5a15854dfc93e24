using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Admission;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>What a write came to: the object in the version of the request, and whether it is new.</summary>
internal sealed record Written(JsonObject Object, StoredObject? Stored, bool Created);

/// <summary>
/// Creates and updates objects: the one way to the store, for requests and controllers alike. In flow order: checks of
/// name and namespace → owned fields → system metadata → the kind's preparation → validation → the store, again from the
/// start when somebody else was faster. Guarantees: nothing invalid is stored; a change that changes nothing is not
/// stored; a stale version is a conflict. Decoding happened before, answering happens after.
/// </summary>
internal sealed class ObjectWriter(ApiCore core)
{
    private const int GenerateAttempts = 8;

    public async Task<Written> CreateAsync(ResourceInfo info, string ns, JsonObject obj, WriteOptions options, CancellationToken cancellation)
    {
        JsonObject metadata = obj.Ensure("metadata");
        MatchNamespace(info, metadata, ns);
        bool generated = string.IsNullOrEmpty(metadata.Str("name")) && !string.IsNullOrEmpty(metadata.Str("generateName"));
        for (int attempt = 1; ; attempt++)
        {
            JsonObject candidate = generated ? obj.Clone() : obj;
            if (generated)
            {
                string prefix = metadata.Str("generateName")!;
                candidate.Ensure("metadata")["name"] = (prefix.Length > 58 ? prefix[..58] : prefix) + core.RandomName(5);
            }

            try
            {
                return await CreateOnceAsync(info, ns, candidate, options, cancellation).ConfigureAwait(false);
            }
            catch (ApiError e) when (e.Reason == "AlreadyExists" && generated && attempt < GenerateAttempts)
            {
                // Another name may be free.
            }
        }
    }

    /// <summary>
    /// Changes an object: <paramref name="change"/> gets the current state (null when there is none) in the version of
    /// the request, and gives the wanted state; it runs again when the object changes meanwhile.
    /// </summary>
    public async Task<Written> UpdateAsync(
        ResourceInfo info, string ns, string name, Func<JsonObject?, JsonObject> change, WriteOptions options, CancellationToken cancellation)
    {
        string key = StoredObject.KeyOf(info.Namespaced ? ns : "", name);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            StoredObject? current = core.Store.Find(info.Table, key);
            if (current is null)
            {
                if (options.Subresource.Length > 0 || !options.CreatesMissing(info))
                {
                    throw ApiError.NotFound(info, name);
                }

                JsonObject made = change(null);
                if (options.Apply && made.Ensure("metadata").Str("uid") is { Length: > 0 } uid)
                {
                    throw ApiError.Conflict(info, name, $"uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                }

                made.Ensure("metadata").Remove("resourceVersion");
                return await CreateAsync(info, ns, made, options, cancellation).ConfigureAwait(false);
            }

            JsonObject live = VersionConverter.FromStorage(info, current);
            JsonObject wanted = change(live.Clone());
            if (await TryReplaceAsync(info, current, live, wanted, options, cancellation).ConfigureAwait(false) is { } written)
            {
                return written;
            }
        }
    }

    private async Task<Written> CreateOnceAsync(ResourceInfo info, string ns, JsonObject obj, WriteOptions options, CancellationToken cancellation)
    {
        JsonObject metadata = obj.Ensure("metadata");
        if (metadata.Str("resourceVersion") is { Length: > 0 } given && given != "0")
        {
            throw ApiError.Internal("resourceVersion should not be set on objects to be created");
        }

        string name = metadata.Str("name") ?? "";
        NamespaceGate.Check(core, info, ns, name);
        SystemMetadata(info, metadata);
        core.Fields.TrackCreate(info, obj, options);
        if (metadata.ContainsKey("generateName"))
        {
            // Only now is the name known from which some defaults are made.
            info.Rules.Default(obj);
        }

        PodAdmission.OnCreate(core, info, obj, ns);
        await core.Admission.MutateAsync(info, "CREATE", obj, null, options, cancellation).ConfigureAwait(false);
        info.Rules.PrepareForCreate(obj);
        PodAdmission.SetQuality(info, obj);
        if (info.Rules.HasGeneration)
        {
            metadata["generation"] = 1L;
        }

        using Allocation allocation = core.Allocator.ForCreate(info, obj);
        FieldError[] errors = [.. MetadataRules.Check(metadata, info), .. info.Rules.Validate(obj)];
        if (errors.Length > 0)
        {
            throw ApiError.Invalid(info, name, errors);
        }

        await core.Admission.ValidateAsync(info, "CREATE", obj, null, options, cancellation).ConfigureAwait(false);
        string key = StoredObject.KeyOf(info.Namespaced ? ns : "", name);
        if (core.Store.Find(info.Table, key) is { } existing)
        {
            throw ApiError.AlreadyExists(info, name, existing.IsDeleting);
        }

        if (options.DryRun)
        {
            metadata.Remove("resourceVersion");
            return new Written(obj, null, true);
        }

        metadata.Remove("resourceVersion");
        StoredObject stored = core.Store.Create(info.Table, key, VersionConverter.ToStorage(info, obj))
            ?? throw ApiError.AlreadyExists(info, name);
        allocation.Keep();
        await core.DurableAsync().ConfigureAwait(false);
        return new Written(VersionConverter.FromStorage(info, stored), stored, true);
    }

    private async Task<Written?> TryReplaceAsync(
        ResourceInfo info, StoredObject current, JsonObject live, JsonObject wanted, WriteOptions options, CancellationToken cancellation)
    {
        JsonObject oldMeta = live.Obj("metadata")!;
        JsonObject metadata = wanted.Ensure("metadata");
        string name = oldMeta.Str("name")!;
        CheckPreconditions(info, current, metadata, oldMeta, ownWrite: ReferenceEquals(options.User, UserInfo.Server));
        MatchNamespace(info, metadata, oldMeta.Str("namespace") ?? "");
        KeepSystemMetadata(metadata, oldMeta);
        core.Fields.TrackUpdate(info, live, wanted, options);
        if (options.Subresource.Length == 0 || options.Subresource == "status")
        {
            await core.Admission.MutateAsync(info, "UPDATE", wanted, live, options, cancellation).ConfigureAwait(false);
        }

        Prepare(info, wanted, live, options);
        Generation(info, wanted, live, options.Subresource);
        using Allocation allocation = core.Allocator.ForUpdate(info, wanted, live);
        Validate(info, wanted, live, name, options);
        await core.Admission.ValidateAsync(info, "UPDATE", wanted, live, options, cancellation).ConfigureAwait(false);
        if (SameButForTimes(wanted, live) && !(current.IsDeleting && Finished(info, wanted)))
        {
            return new Written(live, current, false);
        }

        if (options.DryRun)
        {
            return new Written(wanted, null, false);
        }

        JsonObject storage = VersionConverter.ToStorage(info, wanted);
        if (current.IsDeleting && Finished(info, wanted))
        {
            // The last finalizer went: the answer shows the object as it was asked for, at its old version.
            // Watchers see the state before the write, which the deletion follows.
            if (core.Store.Delete(info.Table, current, current.View.Clone()) is not { } gone)
            {
                return null;
            }

            core.Allocator.Release(info, live);
            metadata["resourceVersion"] = current.Revision.ToString();
            await core.DurableAsync().ConfigureAwait(false);
            return new Written(wanted, gone, false);
        }

        if (core.Store.Replace(info.Table, current, storage) is not { } stored)
        {
            return null;
        }

        allocation.Keep();
        await core.DurableAsync().ConfigureAwait(false);
        return new Written(VersionConverter.FromStorage(info, stored), stored, false);
    }

    /// <summary>A deleted object is finished when nothing holds it: no finalizers, no grace period left, no namespace content.</summary>
    private static bool Finished(ResourceInfo info, JsonObject obj) =>
        (obj.Obj("metadata").Arr("finalizers")?.Count ?? 0) == 0
        && (obj.Obj("metadata").Int("deletionGracePeriodSeconds") ?? 0) == 0
        && !(info is { Group: "", Kind: "Namespace" } && (obj.Obj("spec").Arr("finalizers")?.Count ?? 0) > 0);

    /// <summary>A write that names a version or a uid is for that one only; looked at again whenever the object changed meanwhile.</summary>
    private static void CheckPreconditions(ResourceInfo info, StoredObject current, JsonObject metadata, JsonObject oldMeta, bool ownWrite)
    {
        string name = oldMeta.Str("name")!;
        string uid = oldMeta.Str("uid") ?? "";
        if (metadata.Str("uid") is { Length: > 0 } wantedUid && wantedUid != uid)
        {
            string root = info.Group.Length == 0 || !info.IsCustom ? info.Plural : $"{info.Group}/{info.Plural}";
            throw ApiError.Conflict(
                info,
                name,
                $"StorageError: invalid object, Code: 4, Key: /registry/{root}/{current.Key}, ResourceVersion: 0, AdditionalErrorMsg: " +
                $"Precondition failed: UID in precondition: {wantedUid}, UID in object meta: {uid}");
        }

        string version = metadata.Str("resourceVersion") ?? "";
        if (version is "" or "0")
        {
            if (!info.Rules.UnconditionalUpdate && !ownWrite)
            {
                throw ApiError.Invalid(
                    info.Group,
                    info.IsCustom ? info.Plural : info.Kind,
                    name,
                    [FieldError.Invalid("metadata.resourceVersion", "0", "must be specified for an update")]);
            }

            return;
        }

        if (!ulong.TryParse(version, out ulong number))
        {
            throw ApiError.Internal($"strconv.ParseUint: parsing {MetadataRules.Quote(version)}: invalid syntax");
        }

        if (number != (ulong)current.Revision)
        {
            throw ApiError.Stale(info, name);
        }
    }

    private void SystemMetadata(ResourceInfo info, JsonObject metadata)
    {
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = core.Now();
        metadata.Remove("deletionTimestamp");
        metadata.Remove("deletionGracePeriodSeconds");
        metadata.Remove("selfLink");
        if (!info.Namespaced)
        {
            metadata.Remove("namespace");
        }
    }

    private static void KeepSystemMetadata(JsonObject metadata, JsonObject oldMeta)
    {
        foreach (string field in (string[])["name", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion", "generateName"])
        {
            if (oldMeta[field] is { } value)
            {
                metadata[field] = value.DeepClone();
            }
            else if (field is not "generateName")
            {
                metadata.Remove(field);
            }
        }

        metadata.Remove("selfLink");
    }

    private static void MatchNamespace(ResourceInfo info, JsonObject metadata, string ns)
    {
        string given = metadata.Str("namespace") ?? "";
        if (!info.Namespaced)
        {
            metadata.Remove("namespace");
        }
        else if (given.Length == 0)
        {
            metadata["namespace"] = ns;
        }
        else if (given != ns)
        {
            throw ApiError.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }
    }

    private static void Prepare(ResourceInfo info, JsonObject wanted, JsonObject live, WriteOptions options)
    {
        if (options.Subresource == "status")
        {
            info.Rules.PrepareForStatusUpdate(wanted, live);
        }
        else if (options.Subresource == "finalize")
        {
            JsonNode? finalizers = wanted.Obj("spec")?["finalizers"]?.DeepClone();
            info.Rules.PrepareForStatusUpdate(wanted, live);
            wanted.Ensure("spec").Remove("finalizers");
            if (finalizers is not null)
            {
                wanted.Ensure("spec")["finalizers"] = finalizers;
            }
        }
        else if (options.Subresource is "")
        {
            info.Rules.PrepareForUpdate(wanted, live);
        }
    }

    private static void Generation(ResourceInfo info, JsonObject wanted, JsonObject live, string subresource)
    {
        if (!info.Rules.HasGeneration || subresource is "binding" or "kubelet")
        {
            return;
        }

        bool grows = info.Rules.GenerationFollowsAnnotations && subresource.Length == 0 && !JsonNode.DeepEquals(wanted.At("metadata.annotations"), live.At("metadata.annotations"));
        foreach (string member in wanted.Select(pair => pair.Key).Union(live.Select(pair => pair.Key)))
        {
            if (member is not ("metadata" or "kind" or "apiVersion") && !(member == "status" && info.StatusIsSeparate))
            {
                grows |= !JsonNode.DeepEquals(wanted[member], live[member]);
            }
        }

        if (grows)
        {
            wanted.Obj("metadata")!["generation"] = (live.Obj("metadata").Int("generation") ?? 0) + 1;
        }
    }

    private static void Validate(ResourceInfo info, JsonObject wanted, JsonObject live, string name, WriteOptions options)
    {
        JsonObject metadata = wanted.Obj("metadata")!;
        JsonObject oldMeta = live.Obj("metadata")!;
        FieldError[] meta = [.. MetadataRules.Check(metadata, info)];
        FieldError[] change = [.. MetadataRules.CheckChange(metadata, oldMeta)];
        IReadOnlyList<FieldError> kind = options.Subresource switch
        {
            "status" => info.Rules.ValidateStatusUpdate(wanted, live),
            "" or "scale" or "controller" => info.Rules.ValidateUpdate(wanted, live),
            _ => [],
        };

        // The real server looks at the metadata of an update several times; every pass leaves its causes.
        bool again = options.Subresource.Length == 0 && !info.IsCustom;
        FieldError[] errors = [.. meta, .. change, .. change, .. again ? meta : [], .. kind];
        if (errors.Length > 0)
        {
            throw ApiError.Invalid(info, name, errors);
        }
    }

    private static bool SameButForTimes(JsonObject wanted, JsonObject live)
    {
        FieldManager.KeepTimesIfNothingElseChanged(live, wanted);
        return JsonNode.DeepEquals(wanted, live);
    }
}
