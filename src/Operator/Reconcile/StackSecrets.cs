using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Operator.Reconcile;

/// <summary>
/// Carries the keys of Secrets that compiled texts refer to as files into one Secret of the stack, from where <c>sync</c>
/// and Alertmanager take them. Only Secrets that are named are read, one by one and again now and then, so that the
/// operator needs no right to list or watch Secrets and keeps none of them in memory.
/// </summary>
internal sealed class StackSecrets(KubeClient client, ObjectApplier applier, TimeProvider clock, ILogger logger) : IDisposable
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, IReadOnlyList<SecretFile>> wanted = new();
    private readonly SemaphoreSlim changed = new(0);
    private bool applied;

    /// <summary>What one resource refers to; nothing takes it out.</summary>
    public void Want(string resource, IReadOnlyList<SecretFile> files)
    {
        IReadOnlyList<SecretFile> before = wanted.GetValueOrDefault(resource, []);
        if (before.SequenceEqual(files))
        {
            return;
        }

        _ = files.Count == 0 ? wanted.TryRemove(resource, out _) : (wanted[resource] = files) is not null;
        changed.Release();
    }

    public void Dispose() => changed.Dispose();

    public async Task RunAsync(StackWorld world, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await CarryAsync(world, stop);
            }
            catch (KubeException error)
            {
                logger.LogWarning("The Secrets of stack {Stack} wait: {Reason}", $"{world.Model.Namespace}/{world.Model.Name}", error.Message);
            }

            using CancellationTokenSource pause = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(changed.WaitAsync(pause.Token), Task.Delay(Again, clock, pause.Token));
            await pause.CancelAsync();
            stop.ThrowIfCancellationRequested();
        }
    }

    private async Task CarryAsync(StackWorld world, CancellationToken stop)
    {
        JsonObject data = [];
        foreach (IGrouping<ObjectKey, SecretFile> source in wanted.Values.SelectMany(files => files).Distinct().OrderBy(file => file.File, StringComparer.Ordinal).GroupBy(file => new ObjectKey(file.Namespace, file.Name)))
        {
            Secret? secret = await client.FindAsync(KubeTypes.Secrets, source.Key, stop);
            foreach (SecretFile file in source)
            {
                if (secret?.Data?.TryGetValue(file.Key, out byte[]? value) == true)
                {
                    data[file.File] = Convert.ToBase64String(value);
                }
                else
                {
                    logger.LogWarning("Secret {Secret} has no key {Key}, which stack {Stack} needs", source.Key, file.Key, world.Model.Name);
                }
            }
        }

        if (data.Count > 0 || applied)
        {
            Manifest manifest = Manifest.Create(Kinds.Secret, world.Model.Namespace, Naming.StackObject(world.Model.Name, Artifacts.Secrets), ConfigMaps.Labels(world.Model.Name, Artifacts.Secrets), new JsonObject { ["type"] = "Opaque", ["data"] = data });
            await applier.ApplyAsync(manifest, OptiResources.Stacks.Kind, world.Owner, stop);
            applied = true;
        }
    }
}
