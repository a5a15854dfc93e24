using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>A lease as read, with what it takes to write it only if nobody else did.</summary>
internal sealed record LeaseRecord(LeaseSpec Spec, string Version);

/// <summary>Where leases are kept: a cluster, or (in simulations) memory.</summary>
internal abstract class LeaseStore
{
    public abstract Task<LeaseRecord?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes if the lease is still as expected (null: does not exist); null when it is not.</summary>
    public abstract Task<LeaseRecord?> TryWriteAsync(LeaseRecord? expected, LeaseSpec wanted, CancellationToken cancellationToken);
}

/// <summary>Leases of coordination.k8s.io. Only the spec is ours; labels and annotations of others are kept.</summary>
internal sealed class KubeLeaseStore(KubeClient client, LeaderElectionOptions options) : LeaseStore
{
    private readonly ResourceKind kind = KubeTypes.Leases.Kind;
    private readonly ObjectKey key = new(options.Namespace, options.Name);
    private JsonObject? last;

    public override async Task<LeaseRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Remember(await client.GetAsync(kind, key, cancellationToken).ConfigureAwait(false));
        }
        catch (KubeApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    public override async Task<LeaseRecord?> TryWriteAsync(LeaseRecord? expected, LeaseSpec wanted, CancellationToken cancellationToken)
    {
        var spec = new JsonObject
        {
            ["holderIdentity"] = wanted.HolderIdentity,
            ["leaseDurationSeconds"] = wanted.LeaseDurationSeconds,
            ["acquireTime"] = MicroTime(wanted.AcquireTime),
            ["renewTime"] = MicroTime(wanted.RenewTime),
            ["leaseTransitions"] = wanted.LeaseTransitions,
        };
        try
        {
            return Remember(expected is null
                ? await client.CreateAsync(kind, Manifest(null, spec), cancellationToken).ConfigureAwait(false)
                : await client.ReplaceAsync(kind, Manifest(expected.Version, spec), cancellationToken).ConfigureAwait(false));
        }
        catch (KubeApiException e) when (e.IsConflict || e.IsAlreadyExists || e.IsNotFound)
        {
            return null;
        }
    }

    private JsonObject Manifest(string? version, JsonObject spec)
    {
        var metadata = version is not null && last?["metadata"]?.DeepClone() is JsonObject known ? known : [];
        metadata["name"] = key.Name;
        metadata["namespace"] = key.Namespace;
        if (version is not null)
        {
            metadata["resourceVersion"] = version;
        }

        return new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = metadata, ["spec"] = spec };
    }

    private LeaseRecord Remember(JsonObject json)
    {
        last = json;
        LeaseSpec spec = json["spec"]?.Deserialize(KubeJson.Default.LeaseSpec) ?? new LeaseSpec();
        return new LeaseRecord(spec, json["metadata"]?["resourceVersion"]?.ToString() ?? "");
    }

    private static string? MicroTime(DateTimeOffset? moment) =>
        moment?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
