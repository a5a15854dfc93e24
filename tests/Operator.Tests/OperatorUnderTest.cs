using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using OptiInfra.ApiServer;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Operator.Feedback;

namespace OptiInfra.Operator;

/// <summary>The whole operator against an embedded API server with our kinds and one stack; tests look at the cluster's state only.</summary>
internal sealed class OperatorUnderTest : IAsyncDisposable
{
    private readonly DevApiServer server;
    private CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;

    private OperatorUnderTest(DevApiServer server)
    {
        this.server = server;
        Client = Connect();
    }

    public KubeClient Client { get; }

    public OperatorApp App { get; private set; } = null!;

    public static async Task<OperatorUnderTest> StartAsync(string stackSpec = "{mode: external, prometheus: {url: \"http://127.0.0.1:1\"}}")
    {
        OperatorUnderTest world = new(await DevApiServer.StartAsync());
        foreach (CrdManifest crd in CrdManifest.All)
        {
            await world.ApplyAsync(crd.ToYaml());
        }

        await world.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: optiinfra-system}}");
        await world.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
        await Eventually.True(async () => (await world.Client.ListAsync(OptiResources.Stacks, null, null, default)).Items.Count == 0);
        await world.ApplyAsync($"{{apiVersion: optiinfra.io/v1alpha1, kind: MonitoringStack, metadata: {{name: default, namespace: optiinfra-system}}, spec: {stackSpec}}}");
        world.Start();
        return world;
    }

    public void Start()
    {
        stop = new CancellationTokenSource();
        KubeClient client = Connect();
        App = new OperatorApp(
            new OperatorOptions { LeaderElection = false, Listen = null, Feedback = new FeedbackOptions { Interval = TimeSpan.FromMilliseconds(200) } },
            client,
            KubeMetrics.None,
            TimeProvider.System,
            NullLogger.Instance);
        running = App.RunAsync(stop.Token).ContinueWith(_ => client.Dispose(), TaskScheduler.Default);
    }

    /// <summary>Stops the operator; the cluster goes on.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
    }

    /// <summary>Applies YAML as a person would.</summary>
    public async Task ApplyAsync(string yaml)
    {
        foreach (JsonNode document in YamlJson.ReadAll(yaml))
        {
            JsonObject manifest = document.AsObject();
            await Client.ApplyAsync(KindOf((string)manifest["kind"]!), manifest, "somebody", force: true, default);
        }
    }

    public Task DeleteAgentAsync(string name) => Client.DeleteAsync(OptiResources.Agents.Kind, new ObjectKey("shop", name), null, default);

    public Task<OptiAgent> AgentAsync(string name) => Client.GetAsync(OptiResources.Agents, new ObjectKey("shop", name), default);

    public Task<AlertPolicy> PolicyAsync(string name) => Client.GetAsync(OptiResources.Policies, new ObjectKey("shop", name), default);

    /// <summary>All keys of one artifact, over all its ConfigMaps.</summary>
    public async Task<Dictionary<string, string>> KeysAsync(string artifact)
    {
        KubeList<ConfigMap> maps = await MapsAsync(artifact);
        return maps.Items.SelectMany(map => map.Data ?? new Dictionary<string, string>()).ToDictionary();
    }

    public Task<KubeList<ConfigMap>> MapsAsync(string artifact) =>
        Client.ListAsync(KubeTypes.ConfigMaps, "optiinfra-system", new ListOptions { LabelSelector = $"{Contract.StackLabel}=default,{Contract.ArtifactLabel}={artifact}" }, default);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Client.Dispose();
        await server.DisposeAsync();
    }

    private KubeClient Connect()
    {
        string path = Path.Combine(Path.GetTempPath(), $"optiinfra-test-{Guid.NewGuid():N}.kubeconfig");
        File.WriteAllText(path, server.Kubeconfig);
        KubeClient client = new(KubeConfig.Load(new KubeConfigSource { Path = path }));
        File.Delete(path);
        return client;
    }

    private static ResourceKind KindOf(string kind) => kind switch
    {
        "OptiAgent" => OptiResources.Agents.Kind,
        "AlertPolicy" => OptiResources.Policies.Kind,
        "MonitoringStack" => OptiResources.Stacks.Kind,
        "Namespace" => KubeTypes.Namespaces.Kind,
        "ConfigMap" => KubeTypes.ConfigMaps.Kind,
        "CustomResourceDefinition" => new ResourceKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", Namespaced: false),
        _ => throw new ArgumentException($"the tests do not know the kind {kind}"),
    };
}
