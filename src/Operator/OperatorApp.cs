using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Probes;
using OptiInfra.Operator.Reconcile;
using OptiInfra.Operator.Status;
using OptiInfra.Operator.Sync;

namespace OptiInfra.Operator;

/// <summary>
/// The operator, wired in one straight line. In flow order:
///   Fleet               caches of agents, policies, stacks, and of what we wrote;
///   …Reconciler         one key at a time: compile it, put the result on its stack's Shelf;
///   StackWorld          writes shelves to ConfigMaps; takes what sync reports and what FeedbackLoop sees of Prometheus;
///   StatusWriter        turns all of it into the status chain Accepted → Rendered → Loaded → TargetsUp/RulesHealthy → Ready.
/// Guarantees: a change costs what changed; a broken generation replaces nothing; nothing is written when nothing changed;
/// what others change in our fields is put back. Monitoring goes on without it.
/// </summary>
internal sealed class OperatorApp
{
    /// <summary>Changes of agents come in crowds; the policies that watch them are compiled once for all.</summary>
    private static readonly TimeSpan Crowd = TimeSpan.FromMilliseconds(200);

    private readonly OperatorOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private readonly Fleet fleet;
    private readonly RuntimeHost host;
    private readonly Channel<StackWorld> newWorlds = Channel.CreateUnbounded<StackWorld>();
    private readonly Controller<OptiAgent> agents;
    private readonly Controller<AlertPolicy> policies;
    private readonly Controller<MonitoringStack> stacks;
    private readonly Controller<OptiAgent> agentStatus;
    private readonly Controller<AlertPolicy> policyStatus;
    private readonly Controller<MonitoringStack> stackStatus;

    public OperatorApp(OperatorOptions options, KubeClient client, KubeMetrics metrics, TimeProvider clock, ILogger logger)
    {
        this.options = options;
        this.clock = clock;
        this.logger = logger;
        fleet = new Fleet(client, options.Namespaces, clock, logger);
        AgentReconciler agent = new(fleet, StatusOfAgentIsDue, OnAgentChanged);
        PolicyReconciler policy = new(fleet, StatusOfPolicyIsDue, stack => stacks!.Enqueue(stack, Crowd));
        StackReconciler stack = new(fleet, options.Image, StatusOfStackIsDue, _ => EnqueueAll());
        EventRecorder events = new(client, new EventRecorderOptions { Controller = "optiinfra.io/operator", Instance = options.Identity, Logger = logger });
        StatusWriter status = new(client, fleet, stack, events, clock);
        ControllerOptions work = new() { Time = clock, Metrics = metrics, Logger = logger };
        ControllerOptions writing = work with { MaxConcurrentReconciles = 4 };
        agents = new Controller<OptiAgent>("optiagent", fleet.Agents, agent.ReconcileAsync, work).Where(Predicates.Any<OptiAgent>(Predicates.GenerationChanged, Predicates.LabelsChanged));
        policies = new Controller<AlertPolicy>("alertpolicy", fleet.Policies, policy.ReconcileAsync, work).Where(Predicates.Any<AlertPolicy>(Predicates.GenerationChanged, Predicates.LabelsChanged));
        stacks = new Controller<MonitoringStack>("monitoringstack", fleet.Stacks, stack.ReconcileAsync, work).Where(Predicates.GenerationChanged);
        agentStatus = new Controller<OptiAgent>("optiagent-status", fleet.Agents, status.WriteAgentAsync, writing).Where(change => change.Kind == StoreChangeKind.Updated);
        policyStatus = new Controller<AlertPolicy>("alertpolicy-status", fleet.Policies, status.WritePolicyAsync, writing).Where(change => change.Kind == StoreChangeKind.Updated);
        stackStatus = new Controller<MonitoringStack>("monitoringstack-status", fleet.Stacks, status.WriteStackAsync, work).Where(change => change.Kind == StoreChangeKind.Updated);
        fleet.OnWorld = world => newWorlds.Writer.TryWrite(world);
        fleet.OnWritten = (_, keys) => StatusIsDue(keys);
        fleet.Reports.AddHandler(OnReport);
        fleet.Written.AddHandler(OnConfigMap);
        fleet.NamespaceLabels.AddHandler(change => OnNamespace(change));
        host = new RuntimeHost(new RuntimeHostOptions
        {
            Servers = options.Listen is { } listen ? [stop => ProbeServer.RunAsync(listen, () => host!.IsReady, metrics.Registry, stop)] : [],
            Informers = fleet.Informers,
            Controllers = [stacks, agents, policies, agentStatus, policyStatus, stackStatus],
            LeaderWork = [RunWorldsAsync],
            Events = events,
            Elector = options.LeaderElection ? Elector(client) : null,
            Logger = logger,
        });
    }

    /// <summary>The caches are complete.</summary>
    public bool IsReady => host.IsReady;

    /// <summary>Everything it knows; for the console and for tests.</summary>
    public Fleet Fleet => fleet;

    /// <summary>Runs until stopped. Losing the lease is an exception: the process must end.</summary>
    public Task RunAsync(CancellationToken stop) => host.RunAsync(stop);

    private LeaderElector Elector(KubeClient client) => new(client, new LeaderElectionOptions
    {
        Namespace = options.LeaseNamespace,
        Name = "optiinfra-operator",
        Identity = options.Identity,
        Logger = logger,
    });

    /// <summary>Runs the loops of every stack, from the moment it is first seen until it is gone.</summary>
    private async Task RunWorldsAsync(CancellationToken stop)
    {
        List<Task> running = [];
        Task<StackWorld> next = newWorlds.Reader.ReadAsync(stop).AsTask();
        while (true)
        {
            Task done = await Task.WhenAny(running.Append(next));
            if (done == next)
            {
                running.Add(RunWorldAsync(await next, stop));
                next = newWorlds.Reader.ReadAsync(stop).AsTask();
            }
            else
            {
                running.Remove(done);
                await done;
            }
        }
    }

    private async Task RunWorldAsync(StackWorld world, CancellationToken stop)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop, world.Ended);
        using FeedbackLoop feedback = new(() => PrometheusOf(world.Model), options.Feedback, clock, logger);
        try
        {
            // The first to end ends both: a loop that fails must not leave the other running alone.
            Task[] loops = [world.RunAsync(ending.Token), world.Secrets.RunAsync(world, ending.Token), feedback.RunAsync(seen => OnObserved(world, seen), ending.Token)];
            await await Task.WhenAny(loops);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            logger.LogInformation("Stack {Stack} is gone", $"{world.Model.Namespace}/{world.Model.Name}");
        }
    }

    private static Uri? PrometheusOf(StackModel model) =>
        model.Spec.Prometheus?.Url is { } url ? new Uri(url)
        : model.Mode == StackMode.Managed ? new Uri($"http://{Naming.StackObject(model.Name, "prometheus")}.{model.Namespace}.svc:9090")
        : null;

    private void OnObserved(StackWorld world, Observation seen)
    {
        Observation before = world.Observed;
        world.Observed = seen;
        if (before.Problem != seen.Problem || before.Version != seen.Version)
        {
            StatusOfAllIsDue(world);
            return;
        }

        (IEnumerable<string> changedAgents, IEnumerable<string> changedPolicies) = before.DifferencesTo(seen);
        bool changed = false;
        foreach (string job in changedAgents)
        {
            changed = true;
            string[] parts = job.Split('/');
            StatusOfAgentIsDue(new ObjectKey(parts[0], parts[1]));
        }

        foreach (string key in changedPolicies)
        {
            changed = true;
            StatusOfPolicyIsDue(Fleet.Resource(key));
        }

        if (changed)
        {
            StatusOfStackIsDue(ObjectKeyOf(world));
        }
    }

    private void OnReport(StoreChange<ConfigMap> change)
    {
        if (change.Latest.Metadata.Labels?.GetValueOrDefault(Contract.StackLabel) is not { } stack || fleet.FindWorld(new ObjectKey(change.Key.Namespace, stack)) is not { } world)
        {
            return;
        }

        IReadOnlyCollection<string>? keys = world.TakeReports(change.Current);
        if (keys is null)
        {
            StatusOfAllIsDue(world);
        }
        else
        {
            StatusIsDue(keys);
            StatusOfStackIsDue(ObjectKeyOf(world));
        }
    }

    /// <summary>A ConfigMap of ours changed; when it was not us, what is ours in it is put back.</summary>
    private void OnConfigMap(StoreChange<PartialObject> change)
    {
        IReadOnlyDictionary<string, string> labels = change.Latest.Metadata.Labels ?? new Dictionary<string, string>();
        ObjectKey stack = new(change.Key.Namespace, labels.GetValueOrDefault(Contract.StackLabel, ""));
        string? version = change.Current?.Metadata.ResourceVersion;
        string artifact = labels.GetValueOrDefault(Contract.ArtifactLabel, "");
        if (fleet.FindWorld(stack) is not { } world || (artifact == SyncReport.Artifact && version is not null))
        {
            return;
        }

        Shelf? shelf = artifact switch { Artifacts.Scrape => world.Scrape, Artifacts.Rules => world.Rules, _ => null };
        string? bucket = labels.GetValueOrDefault(Contract.BucketLabel);
        if (shelf is not null && bucket is not null and not StackWorld.ClassesBucket)
        {
            if (shelf.Notice(bucket, version))
            {
                world.Poke();
            }
        }
        else if (fleet.Applier.Notice(KubeTypes.ConfigMaps.Kind, change.Key, version))
        {
            world.RewriteClasses();
            stacks.Enqueue(stack);
        }
    }

    /// <summary>Which stack serves a namespace may depend on the namespace's labels.</summary>
    private void OnNamespace(StoreChange<PartialObject> change)
    {
        if (!change.IsInitial && Predicates.LabelsChanged(change))
        {
            foreach (OptiAgent agent in fleet.Agents.Store.List(change.Key.Name))
            {
                agents.Enqueue(ObjectKey.Of(agent));
            }

            EnqueuePoliciesOf(change.Key.Name);
        }
    }

    private void OnAgentChanged(ObjectKey key, OptiAgent? agent)
    {
        EnqueuePoliciesOf(key.Namespace);
        foreach (StackWorld world in fleet.Worlds)
        {
            stackStatus.Enqueue(ObjectKeyOf(world), Crowd);
            if (agent is not null && IsNewLook(world, agent))
            {
                stacks.Enqueue(ObjectKeyOf(world), Crowd);
            }
        }
    }

    /// <summary>Only the first agent of its kind calls for dashboards that are not there yet.</summary>
    private static bool IsNewLook(StackWorld world, OptiAgent agent)
    {
        lock (world.Looks)
        {
            return !world.Looks.Contains(StackReconciler.LookOf(agent));
        }
    }

    private void EnqueuePoliciesOf(string ns)
    {
        foreach (AlertPolicy policy in fleet.Policies.Store.List(ns))
        {
            policies.Enqueue(ObjectKey.Of(policy), Crowd);
        }
    }

    private void EnqueueAll()
    {
        foreach (OptiAgent agent in fleet.Agents.Store.List())
        {
            agents.Enqueue(ObjectKey.Of(agent));
        }

        foreach (AlertPolicy policy in fleet.Policies.Store.List())
        {
            policies.Enqueue(ObjectKey.Of(policy));
        }
    }

    private void StatusIsDue(IEnumerable<string> shelfKeys)
    {
        foreach (string key in shelfKeys)
        {
            ObjectKey resource = Fleet.Resource(key);
            StatusOfAgentIsDue(resource);
            StatusOfPolicyIsDue(resource);
        }
    }

    private void StatusOfAllIsDue(StackWorld world)
    {
        StatusIsDue(world.Scrape.Keys.Concat(world.Rules.Keys));
        StatusOfStackIsDue(ObjectKeyOf(world));
    }

    private void StatusOfAgentIsDue(ObjectKey key) => agentStatus.Enqueue(key);

    private void StatusOfPolicyIsDue(ObjectKey key) => policyStatus.Enqueue(key);

    private void StatusOfStackIsDue(ObjectKey key) => stackStatus.Enqueue(key);

    private static ObjectKey ObjectKeyOf(StackWorld world) => new(world.Model.Namespace, world.Model.Name);
}
