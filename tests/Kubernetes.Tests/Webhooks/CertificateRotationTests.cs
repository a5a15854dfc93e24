using System.Net;
using System.Text;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Webhooks;
using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Tests.Webhooks;

public sealed class CertificateRotationTests
{
    private readonly VirtualTime time = new();

    private CertificateRotation Rotation() => new("hooks", ["hooks.ns.svc"], time);

    [Fact]
    public void Nothing_is_replaced_before_its_last_third()
    {
        CertificateSet set = Rotation().Create();
        time.Advance(TimeSpan.FromDays(59));
        Assert.Same(set, Rotation().Next(set));
        time.Advance(TimeSpan.FromDays(2));
        CertificateSet renewed = Rotation().Next(set);
        Assert.NotEqual(set.Serving, renewed.Serving);
        Assert.Equal((RotationPhase.Stable, set.Authority), (renewed.Phase, renewed.Authority));
    }

    [Fact]
    public void The_new_authority_is_announced_before_it_is_used_and_the_old_one_forgotten_last()
    {
        CertificateRotation rotation = Rotation();
        CertificateSet set = rotation.Create();
        time.Advance(TimeSpan.FromDays(250));
        CertificateSet announced = rotation.Next(set);
        Assert.Equal((RotationPhase.Announced, set.Serving), (announced.Phase, announced.Serving));
        Assert.Contains(set.Authority.CertificatePem, announced.CaBundle, StringComparison.Ordinal);
        Assert.Contains(announced.NextAuthority!.CertificatePem, announced.CaBundle, StringComparison.Ordinal);
        Assert.Same(announced, rotation.Next(announced)); // not everybody may know yet

        time.Advance(TimeSpan.FromMinutes(10));
        CertificateSet swapped = rotation.Next(announced);
        Assert.Equal((RotationPhase.Swapped, announced.CaBundle), (swapped.Phase, swapped.CaBundle));
        Assert.NotEqual(set.Serving, swapped.Serving);

        time.Advance(TimeSpan.FromMinutes(10));
        CertificateSet stable = rotation.Next(swapped);
        Assert.Equal((RotationPhase.Stable, announced.NextAuthority.CertificatePem, swapped.Serving), (stable.Phase, stable.CaBundle, stable.Serving));
    }

    [Fact]
    public async Task A_rotation_under_load_fails_no_call()
    {
        var rotation = new CertificateRotation("hooks", ["127.0.0.1"], TimeProvider.System);
        CertificateSet set = rotation.Create();
        var certificates = new ServingCertificates(set.Serving);
        await using var server = new WebhookServer(new WebhookServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Certificates = certificates });
        server.Admit("/validate", (_, _) => Task.FromResult(AdmissionResponse.Allow()));
        await server.StartAsync(CancellationToken.None);
        string bundle = set.CaBundle;
        using var stop = new CancellationTokenSource();
        int calls = 0;
        Task[] callers = [.. Enumerable.Range(0, 4).Select(_ => CallAsync())];

        // Steps are forced; what each waits for is that callers made calls after it.
        while (true)
        {
            int before = Volatile.Read(ref calls);
            await Eventually.TrueAsync(() => Volatile.Read(ref calls) >= before + 20 || callers.Any(caller => caller.IsCompleted));
            set = rotation.Next(set, force: set.Phase != RotationPhase.Stable || before < 40);
            Volatile.Write(ref bundle, set.CaBundle);
            int announced = Volatile.Read(ref calls);
            await Eventually.TrueAsync(() => Volatile.Read(ref calls) >= announced + 20 || callers.Any(caller => caller.IsCompleted));
            certificates.Use(set.Serving);
            if (set.Phase == RotationPhase.Stable)
            {
                break;
            }
        }

        await stop.CancelAsync();
        await Task.WhenAll(callers);

        // Every call is a new connection, trusting what is announced at that moment.
        async Task CallAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                using var http = new HttpClient(WebhookServerTests.Trusting(Volatile.Read(ref bundle)));
                using var content = new StringContent("""{"kind":"AdmissionReview","request":{"uid":"1"}}""", Encoding.UTF8, "application/json");
                using HttpResponseMessage response = await http.PostAsync(new Uri(server.Address!, "/validate"), content, CancellationToken.None);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Interlocked.Increment(ref calls);
            }
        }
    }

    [Fact]
    public void Files_are_looked_at_again_after_ten_seconds_and_a_half_written_pair_is_not_used()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("optiinfra-certificates-");
        try
        {
            var metrics = new KubeMetrics(new MetricRegistry());
            CertificateRotation rotation = Rotation();
            KeyPair one = rotation.Create().Serving;
            KeyPair two = rotation.Create().Serving;
            Write("tls.crt", one.CertificatePem);
            Write("tls.key", one.KeyPem);
            var certificates = new ServingCertificates(folder.FullName, time, metrics);
            string first = certificates.Current.TargetCertificate.Thumbprint;
            Write("tls.crt", two.CertificatePem);
            Assert.Equal(first, certificates.Current.TargetCertificate.Thumbprint);
            time.Advance(TimeSpan.FromSeconds(10));
            Assert.Equal(first, certificates.Current.TargetCertificate.Thumbprint);
            Assert.Equal(1, metrics.CertificateReadErrors.WithLabels().Value);
            Write("tls.key", two.KeyPem);
            time.Advance(TimeSpan.FromSeconds(10));
            Assert.NotEqual(first, certificates.Current.TargetCertificate.Thumbprint);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void Write(string name, string text) => File.WriteAllText(Path.Combine(folder.FullName, name), text);
    }
}
