using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Tests;

/// <summary>
/// The cluster that a test runs against, chosen by the environment and not by the test: kube-apiserver and etcd when
/// KUBEBUILDER_ASSETS names a folder that holds them (with kube-controller-manager, when that is there too), any cluster when
/// OPTIINFRA_E2E=cluster (as KUBECONFIG says), else the embedded API server.
/// </summary>
public sealed class ClusterUnderTest : IAsyncDisposable
{
    private readonly List<Func<ValueTask>> cleanups = [];

    private ClusterUnderTest(string name, KubeConfig config)
    {
        Name = name;
        Config = config;
    }

    /// <summary>What it is, for messages.</summary>
    public string Name { get; private set; }

    public KubeConfig Config { get; private set; }

    /// <summary>Owner references are followed, namespaces are emptied.</summary>
    public bool HasControllers { get; private set; } = true;

    public static async Task<ClusterUnderTest> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } assets)
        {
            return await StartBinariesAsync(assets);
        }

        if (Environment.GetEnvironmentVariable("OPTIINFRA_E2E") == "cluster")
        {
            return new ClusterUnderTest("the cluster of KUBECONFIG", KubeConfig.Load());
        }

        DevApiServer server = await DevApiServer.StartAsync();
        var config = new KubeConfig { Server = server.Url, Token = server.Token, CertificateAuthorityPem = server.CaCertificatePem };
        var cluster = new ClusterUnderTest("the embedded API server", config);
        cluster.cleanups.Add(server.DisposeAsync);
        return cluster;
    }

    public KubeClient Client(KubeClientOptions? options = null) => new(Config, options);

    /// <summary>A namespace for one test; it goes with the cluster.</summary>
    public static async Task<string> CreateNamespaceAsync(KubeClient client, string prefix)
    {
        string name = $"{prefix}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        var manifest = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } };
        await client.CreateAsync(KubeTypes.Namespaces.Kind, manifest, CancellationToken.None);
        return name;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Func<ValueTask> cleanup in Enumerable.Reverse(cleanups))
        {
            await cleanup();
        }
    }

    private static async Task<ClusterUnderTest> StartBinariesAsync(string assets)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("optiinfra-cluster-");
        int etcd = FreePort();
        int peer = FreePort();
        int port = FreePort();
        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        string tokens = Path.Combine(folder.FullName, "tokens.csv");
        await File.WriteAllTextAsync(tokens, $"{token},admin,admin,system:masters\n");
        using var key = RSA.Create(2048);
        string signing = Path.Combine(folder.FullName, "sa.key");
        await File.WriteAllTextAsync(signing, key.ExportPkcs8PrivateKeyPem());

        var config = new KubeConfig { Server = new Uri($"https://127.0.0.1:{port}"), Token = token, InsecureSkipTlsVerify = true };
        var cluster = new ClusterUnderTest($"kube-apiserver of {assets}", config);
        cluster.cleanups.Add(() =>
        {
            folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        });
        cluster.Run(
            Find(assets, "etcd"),
            "--data-dir", Path.Combine(folder.FullName, "etcd"),
            "--listen-client-urls", $"http://127.0.0.1:{etcd}", "--advertise-client-urls", $"http://127.0.0.1:{etcd}",
            "--listen-peer-urls", $"http://127.0.0.1:{peer}", "--unsafe-no-fsync");
        cluster.Run(
            Find(assets, "kube-apiserver"),
            "--etcd-servers", $"http://127.0.0.1:{etcd}", "--secure-port", $"{port}", "--bind-address", "127.0.0.1",
            "--cert-dir", Path.Combine(folder.FullName, "certs"), "--token-auth-file", tokens, "--authorization-mode", "RBAC",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", signing,
            "--service-account-signing-key-file", signing, "--service-cluster-ip-range", "10.0.0.0/24",
            "--disable-admission-plugins", "ServiceAccount", "--allow-privileged");
        await cluster.WaitUntilReadyAsync();
        string manager = Find(assets, "kube-controller-manager");
        cluster.HasControllers = File.Exists(manager);
        if (cluster.HasControllers)
        {
            string kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
            await File.WriteAllTextAsync(kubeconfig, cluster.Kubeconfig());
            cluster.Run(manager, "--kubeconfig", kubeconfig, "--leader-elect=false", "--service-account-private-key-file", signing, "--secure-port", "0");
        }

        return cluster;
    }

    /// <summary>The same cluster for kubectl and other programs.</summary>
    public string Kubeconfig() => $$$"""
        apiVersion: v1
        kind: Config
        current-context: test
        contexts: [{name: test, context: {cluster: test, user: test}}]
        clusters: [{name: test, cluster: {server: "{{{Config.Server.OriginalString}}}", {{{Authority()}}}}}]
        users: [{name: test, user: {token: "{{{Config.Token}}}"}}]
        """;

    private string Authority() => Config.CertificateAuthorityPem is { } pem
        ? $"certificate-authority-data: {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(pem))}"
        : "insecure-skip-tls-verify: true";

    private void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        cleanups.Add(async () =>
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        });
    }

    private async Task WaitUntilReadyAsync()
    {
        using KubeClient client = Client();
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await client.GetTextAsync("/readyz", CancellationToken.None);
                Name += " " + JsonNode.Parse(await client.GetTextAsync("/version", CancellationToken.None))?["gitVersion"];
                return;
            }
            catch (KubeException) when (waited.Elapsed < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(100);
            }
        }
    }

    private static string Find(string assets, string program) => Path.Combine(assets, program);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
