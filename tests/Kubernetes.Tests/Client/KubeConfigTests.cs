using System.Text;
using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Kubernetes.Tests.Client;

public sealed class KubeConfigTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("optiinfra-kubeconfig-");

    public void Dispose() => folder.Delete(recursive: true);

    private string Write(string name, string text)
    {
        string path = Path.Combine(folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private KubeConfigSource Source(params (string Name, string Value)[] variables) => new()
    {
        Home = folder.FullName,
        ServiceAccountDirectory = Path.Combine(folder.FullName, "sa"),
        Variable = name => variables.FirstOrDefault(variable => variable.Name == name).Value,
    };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>A kubeconfig of one context, from the fields of its cluster, its user and its context.</summary>
    private static string Config(string cluster, string user = "{}", string context = "") => $$$"""
        apiVersion: v1
        kind: Config
        current-context: c
        contexts: [{name: c, context: {cluster: k, user: u{{{(context.Length > 0 ? ", " + context : "")}}}}}]
        clusters: [{name: k, cluster: {{{cluster}}}}]
        users: [{name: u, user: {{{user}}}}]
        """;

    public static TheoryData<string, string, string, Func<KubeConfig, object?>, object?> Resolved => new()
    {
        { "{server: 'https://h:6443'}", "{}", "", config => config.Server.ToString(), "https://h:6443/" },
        { "{server: 'https://h/k8s/clusters/c1'}", "{}", "", config => config.Server.AbsolutePath, "/k8s/clusters/c1" },
        { "{server: 'h:8080'}", "{}", "", config => config.Server.ToString(), "http://h:8080/" },
        { "{server: 'https://h'}", "{}", "", config => config.Namespace, "default" },
        { "{server: 'https://h'}", "{}", "namespace: ops", config => config.Namespace, "ops" },
        { "{server: 'https://h', tls-server-name: api.internal}", "{}", "", config => config.TlsServerName, "api.internal" },
        { "{server: 'https://h', insecure-skip-tls-verify: true}", "{}", "", config => config.InsecureSkipTlsVerify, true },
        { "{server: 'https://h', disable-compression: true}", "{}", "", config => config.DisableCompression, true },
        { "{server: 'https://h', proxy-url: 'http://p:3128'}", "{}", "", config => config.ProxyUrl?.ToString(), "http://p:3128/" },
        { "{server: 'https://h', proxy-url: 'socks5://p:1080'}", "{}", "", config => config.ProxyUrl?.Scheme, "socks5" },
        { $"{{server: 'https://h', certificate-authority-data: {Base64("CA")}}}", "{}", "", config => config.CertificateAuthorityPem, "CA" },
        { "{server: 'https://h', certificate-authority: /etc/ca.crt}", "{}", "", config => config.CertificateAuthorityFile, "/etc/ca.crt" },
        { "{server: 'https://h'}", "{token: abc}", "", config => config.Token, "abc" },
        { "{server: 'https://h'}", "{token: 123456}", "", config => config.Token, "123456" },
        { "{server: 'https://h'}", "{tokenFile: /var/token}", "", config => config.TokenFile, "/var/token" },
        { "{server: 'https://h'}", "{username: jo, password: pw}", "", config => $"{config.Username}:{config.Password}", "jo:pw" },
        { "{server: 'https://h'}", $"{{client-certificate-data: {Base64("CRT")}, client-key-data: {Base64("KEY")}}}", "", config => config.ClientCertificatePem + config.ClientKeyPem, "CRTKEY" },
        { "{server: 'https://h'}", "{client-certificate: /c.crt, client-key: /c.key}", "", config => config.ClientCertificateFile + config.ClientKeyFile, "/c.crt/c.key" },
        { "{server: 'https://h'}", "{as: jane, as-groups: [dev, ops], as-uid: '7', as-user-extra: {scopes: [view]}}", "", config => $"{config.Impersonate!.User} {string.Join('+', config.Impersonate.Groups)} {config.Impersonate.Uid} {config.Impersonate.Extra["scopes"][0]}", "jane dev+ops 7 view" },
        { "{server: 'https://h'}", "{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks, get-token], env: [{name: A, value: B}], provideClusterInfo: true, interactiveMode: Never}}", "", config => $"{config.Exec!.Command} {string.Join(' ', config.Exec.Arguments)} {config.Exec.Environment["A"]} {config.Exec.ProvideClusterInfo} {config.Exec.InteractiveMode}", "aws eks get-token B True Never" },
        { "{server: 'https://h'}", "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: gke}}", "", config => config.Exec!.ApiVersion, "client.authentication.k8s.io/v1beta1" },
    };

    [Theory]
    [MemberData(nameof(Resolved))]
    public void Every_field_is_understood(string cluster, string user, string context, Func<KubeConfig, object?> read, object? expected)
    {
        string path = Write("config", Config(cluster, user, context));
        Assert.Equal(expected, read(KubeConfig.Load(Source() with { Path = path })));
    }

    [Theory]
    [InlineData("{server: 'ftp://h'}", "{}", "server \"ftp://h\" of cluster \"k\" is not an http(s) URL")]
    [InlineData("{}", "{}", "cluster \"k\" has no server")]
    [InlineData("{server: 'https://h', proxy-url: 'ftp://p'}", "{}", "must be an http, https or socks5 URL")]
    [InlineData("{server: 'https://h', certificate-authority: /ca, insecure-skip-tls-verify: true}", "{}", "both a certificate authority and insecure-skip-tls-verify")]
    [InlineData("{server: 'https://h', certificate-authority-data: '###'}", "{}", "\"certificate-authority-data\" of \"k\" is not base64")]
    [InlineData("{server: 'https://h'}", "{client-key: /k}", "user \"u\" has a client key but no certificate")]
    [InlineData("{server: 'https://h'}", "{client-certificate: /c}", "user \"u\" has a client certificate but no key")]
    [InlineData("{server: 'https://h'}", "{auth-provider: {name: gcp}}", "uses auth-provider, which Kubernetes removed in 1.26; use an exec plugin")]
    [InlineData("{server: 'https://h'}", "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}", "v1 and v1beta1 are supported")]
    [InlineData("{server: 'https://h'}", "{exec: {apiVersion: client.authentication.k8s.io/v1}}", "has no command")]
    [InlineData("{server: 'https://h'}", "{token: [a]}", "\"token\" of \"u\" must be text")]
    public void What_is_wrong_is_said_with_file_and_entry(string cluster, string user, string message)
    {
        string path = Write("config", Config(cluster, user));
        KubeConfigException e = Assert.Throws<KubeConfigException>(() => KubeConfig.Load(Source() with { Path = path }));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_yaml_is_reported_with_its_line()
    {
        string path = Write("config", "a: 1\nb: [1,\nc: }");
        Assert.Contains("config: line 2", Assert.Throws<KubeConfigException>(() => KubeConfig.Load(Source() with { Path = path })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_are_merged_and_the_first_to_name_something_wins()
    {
        string one = Write("a/one", "current-context: x\nclusters: [{name: k, cluster: {server: 'https://one', certificate-authority: ca.crt}}]\n");
        string two = Write("b/two", "current-context: y\nclusters: [{name: k, cluster: {server: 'https://two'}}]\ncontexts: [{name: x, context: {cluster: k, user: u}}]\nusers: [{name: u, user: {tokenFile: ../token}}]\n");
        string list = string.Join(Path.PathSeparator, one, Path.Combine(folder.FullName, "missing"), two);
        KubeConfig config = KubeConfig.Load(Source(("KUBECONFIG", list)));
        Assert.Equal("https://one/", config.Server.ToString());
        Assert.Equal(Path.Combine(folder.FullName, "a", "ca.crt"), config.CertificateAuthorityFile);
        Assert.Equal(Path.Combine(folder.FullName, "token"), config.TokenFile);
    }

    [Fact]
    public void An_explicit_file_must_exist_and_comes_first()
    {
        Assert.Throws<KubeConfigException>(() => KubeConfig.Load(Source() with { Path = Path.Combine(folder.FullName, "none") }));
        string env = Write("env", Config("{server: 'https://env'}"));
        string flag = Write("flag", Config("{server: 'https://flag'}"));
        Assert.Equal("https://flag/", KubeConfig.Load(Source(("KUBECONFIG", env)) with { Path = flag }).Server.ToString());
    }

    [Fact]
    public void In_a_pod_the_service_account_is_used()
    {
        Write("sa/token", "t");
        Write("sa/ca.crt", "pem");
        Write("sa/namespace", "agents\n");
        KubeConfig config = KubeConfig.Load(Source(("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443")));
        Assert.Equal(("https://10.0.0.1/", "agents"), (config.Server.ToString(), config.Namespace));
        Assert.Equal(Path.Combine(folder.FullName, "sa", "token"), config.TokenFile);
        KubeConfig six = KubeConfig.Load(Source(("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "6443")));
        Assert.Equal("https://[fd00::1]:6443/", six.Server.ToString());
    }

    [Fact]
    public void The_home_folder_is_the_last_resort_and_nothing_at_all_says_what_to_do()
    {
        KubeConfigException e = Assert.Throws<KubeConfigException>(() => KubeConfig.Load(Source()));
        Assert.Contains("name a kubeconfig file", e.Message, StringComparison.Ordinal);
        Write(".kube/config", Config("{server: 'https://home'}"));
        Assert.Equal("https://home/", KubeConfig.Load(Source()).Server.ToString());
    }

    [Fact]
    public void A_context_that_is_not_there_is_answered_with_those_that_are()
    {
        string path = Write("config", Config("{server: 'https://h'}"));
        KubeConfigException e = Assert.Throws<KubeConfigException>(() => KubeConfig.Load(Source() with { Path = path, Context = "prod" }));
        Assert.Contains("context \"prod\" does not exist; known: c", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exec_plugin_is_told_about_the_cluster_and_its_answer_kept_until_it_expires()
    {
        var time = new VirtualTime();
        string counter = Path.Combine(folder.FullName, "runs");
        string seen = Path.Combine(folder.FullName, "seen");
        var plugin = new ExecPlugin
        {
            ApiVersion = "client.authentication.k8s.io/v1",
            Command = "/bin/sh",
            ProvideClusterInfo = true,
            Environment = new Dictionary<string, string> { ["EXTRA"] = "yes" },
            Arguments = ["-c", $"echo \"$EXTRA\" >> {counter}; printf %s \"$KUBERNETES_EXEC_INFO\" > {seen}; echo '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{{\"token\":\"t\",\"expirationTimestamp\":\"2026-01-01T01:00:00Z\"}}}}'"],
        };
        using var credential = new ExecCredential(plugin, new KubeConfig { Server = new Uri("https://h"), CertificateAuthorityPem = "CA" }, time);
        Identity[] many = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => credential.GetAsync(default).AsTask()));
        Assert.All(many, identity => Assert.Equal("Bearer t", identity.Authorization!.ToString()));
        Assert.Equal(["yes"], await File.ReadAllLinesAsync(counter));
        string info = await File.ReadAllTextAsync(seen);
        Assert.Contains("\"server\":\"https://h\"", info, StringComparison.Ordinal);
        Assert.Contains($"\"certificate-authority-data\":\"{Base64("CA")}\"", info, StringComparison.Ordinal);
        time.Advance(TimeSpan.FromMinutes(60));
        await credential.GetAsync(default);
        Assert.Equal(2, (await File.ReadAllLinesAsync(counter)).Length);
    }

    [Theory]
    [InlineData("exit 3", "failed with exit code 3")]
    [InlineData("echo nonsense", "did not print an ExecCredential")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}'", "instead of \"client.authentication.k8s.io/v1\"")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{}}'", "neither a token nor a certificate")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"clientKeyData\":\"x\"}}'", "must give both")]
    public async Task An_exec_plugin_that_fails_is_named(string script, string message)
    {
        var plugin = new ExecPlugin { ApiVersion = "client.authentication.k8s.io/v1", Command = "/bin/sh", Arguments = ["-c", script] };
        using var credential = new ExecCredential(plugin, new KubeConfig { Server = new Uri("https://h") }, TimeProvider.System);
        KubeConfigException e = await Assert.ThrowsAsync<KubeConfigException>(() => credential.GetAsync(default).AsTask());
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_exec_plugin_comes_with_its_install_hint()
    {
        var plugin = new ExecPlugin { ApiVersion = "client.authentication.k8s.io/v1", Command = "no-such-plugin", InstallHint = "Install it with your package manager." };
        using var credential = new ExecCredential(plugin, new KubeConfig { Server = new Uri("https://h") }, TimeProvider.System);
        KubeConfigException e = await Assert.ThrowsAsync<KubeConfigException>(() => credential.GetAsync(default).AsTask());
        Assert.Contains("Install it with your package manager.", e.Message, StringComparison.Ordinal);
    }
}
