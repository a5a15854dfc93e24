using System.Diagnostics;
using Xunit.Abstractions;

namespace OptiInfra.ApiServer.Tests.Kubectl;

/// <summary>The real kubectl against the embedded server, over TLS with the kubeconfig that it writes. Needs kubectl on the PATH; says so where it is not.</summary>
public sealed class KubectlTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Definition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: boats.kubectl.example.com}
        spec:
          group: kubectl.example.com
          scope: Namespaced
          names: {plural: boats, singular: boat, kind: Boat, listKind: BoatList, categories: [all]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}, scale: {specReplicasPath: .spec.crew, statusReplicasPath: .status.crew}}
            additionalPrinterColumns: [{name: Crew, type: integer, jsonPath: .spec.crew}]
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec: {type: object, properties: {crew: {type: integer, description: How many sail it.}}}
                  status: {type: object, properties: {crew: {type: integer}}}
        """;

    private const string All = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {a: "1"}
        ---
        apiVersion: kubectl.example.com/v1
        kind: Boat
        metadata: {name: ark}
        spec: {crew: 2}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, labels: {app: web}}
        spec:
          replicas: 1
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: main, image: "example.com/app:1"}]}
        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("optiinfra-kubectl-");
    private DevApiServer? server;

    private string Kubeconfig => Path.Combine(folder.FullName, "kubeconfig");

    public async Task InitializeAsync() => server = await DevApiServer.StartAsync(new DevApiServerOptions { KubeconfigPath = Kubeconfig });

    public async Task DisposeAsync()
    {
        await server!.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_everyday_commands_work()
    {
        if (!HasKubectl())
        {
            output.WriteLine("No kubectl on the PATH: nothing was checked.");
            return;
        }

        await SetUpAsync();
        Assert.Contains("configmap/settings created", await RunAsync("apply -n k -f all.yaml"));
        Assert.Contains("configmap/settings unchanged", await RunAsync("apply -n k -f all.yaml"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "all2.yaml"), All.Replace("crew: 2", "crew: 3").Replace("\"1\"", "\"2\""));
        Assert.Contains("+  crew: 3", await RunAsync("diff -n k -f all2.yaml", exit: 1));
        Assert.Contains("boat.kubectl.example.com/ark configured", await RunAsync("apply -n k -f all2.yaml"));
        Assert.Contains("serverside-applied", await RunAsync("apply -n k -f all2.yaml --server-side --force-conflicts"));
        Assert.Matches(@"NAME\s+CREW\s+ark\s+3", (await RunAsync("get boats -n k")).Replace("\n", " "));
        Assert.Contains("crew: 3", await RunAsync("get boat ark -n k -o yaml"));
        Assert.Contains("Boat", await RunAsync("describe boat ark -n k"));
        Assert.Contains("How many sail it.", await RunAsync("explain boat.spec.crew"));
        Assert.Contains("FIELDS:", await RunAsync("explain deployment.spec"));
        Assert.Contains("labeled", await RunAsync("label cm settings -n k x=y"));
        Assert.Contains("annotated", await RunAsync("annotate cm settings -n k x=y"));
        Assert.Contains("patched", await RunAsync("patch boat ark -n k --type=merge -p {\"spec\":{\"crew\":5}}"));
        Assert.Contains("scaled", await RunAsync("scale boat ark -n k --replicas=4"));
        Assert.Contains("condition met", await RunAsync("wait --for=jsonpath={.spec.crew}=4 boat/ark -n k --timeout=10s"));
        Assert.Contains("deployment.apps/web", await RunAsync("get all -n k"));
        Assert.Contains("deleted", await RunAsync("delete -n k -f all.yaml"));
        Assert.Contains("deleted", await RunAsync("delete crd boats.kubectl.example.com"));
        Assert.Contains("deleted", await RunAsync("delete namespace k"));
    }

    [Fact]
    public async Task What_kubectl_sends_as_protobuf_is_understood()
    {
        if (!HasKubectl())
        {
            output.WriteLine("No kubectl on the PATH: nothing was checked.");
            return;
        }

        Assert.Contains("created", await RunAsync("create namespace p"));
        Assert.Contains("created", await RunAsync("create configmap c -n p --from-literal=a=b"));
        Assert.Equal("b", await RunAsync("get cm c -n p -o jsonpath={.data.a}"));
        Assert.Contains("created", await RunAsync("create secret generic s -n p --from-literal=x=y"));
        Assert.Contains("created", await RunAsync("create serviceaccount robot -n p"));
        Assert.StartsWith("ey", await RunAsync("create token robot -n p"), StringComparison.Ordinal);
        Assert.Contains("created", await RunAsync("create role r -n p --verb=get,list --resource=pods"));
        Assert.Contains("created", await RunAsync("create deployment web -n p --image=example.com/app:1 --replicas=2"));
        Assert.Contains("successfully rolled out", await RunAsync("rollout status deploy/web -n p --timeout=20s"));
        Assert.Contains("autoscaled", await RunAsync("autoscale deploy web -n p --max=3"));
        Assert.Contains("yes", await RunAsync("auth can-i create pods -n p"));
        Assert.Contains("system:masters", await RunAsync("auth whoami"));
        Assert.Contains("exposed", await RunAsync("expose deploy web -n p --port=80"));
        Assert.Contains("restarted", await RunAsync("rollout restart deploy/web -n p"));
        Assert.Contains("REVISION", await RunAsync("rollout history deploy/web -n p"));
    }

    private async Task SetUpAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "crd.yaml"), Definition);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "all.yaml"), All);
        Assert.Contains("created", await RunAsync("create namespace k"));
        Assert.Contains("created", await RunAsync("create -f crd.yaml"));
        await RunAsync("wait --for=condition=Established crd/boats.kubectl.example.com --timeout=10s");
    }

    private static bool HasKubectl() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(at => File.Exists(Path.Combine(at, "kubectl")));

    private async Task<string> RunAsync(string arguments, int exit = 0)
    {
        ProcessStartInfo start = new("kubectl", arguments.Split(' ')) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.FullName };
        start.Environment["KUBECONFIG"] = Kubeconfig;
        start.Environment["HOME"] = folder.FullName;
        using Process process = Process.Start(start)!;
        Task<string> printed = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        string text = await printed;
        output.WriteLine($"$ kubectl {arguments}\n{text}{errors}");
        Assert.True(process.ExitCode == exit, $"kubectl {arguments} ended with {process.ExitCode}: {errors}{text}");
        return text;
    }
}
