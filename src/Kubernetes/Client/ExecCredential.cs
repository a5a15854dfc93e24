using System.ComponentModel;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OptiInfra.Kubernetes.Client;

/// <summary>
/// Credentials printed by a program. It runs once for any number of callers, and again when its answer expires or the server
/// refuses it. https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
/// </summary>
internal sealed class ExecCredential(ExecPlugin plugin, KubeConfig config, TimeProvider time) : Credential
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim flight = new(1, 1);
    private Held? held;

    private sealed record Held(Identity Identity, DateTimeOffset? Expires);

    public override async ValueTask<Identity> GetAsync(CancellationToken cancellationToken)
    {
        if (Valid(held))
        {
            return held!.Identity;
        }

        await flight.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!Valid(held))
            {
                held = Parse(await RunAsync(cancellationToken).ConfigureAwait(false));
            }

            return held!.Identity;
        }
        finally
        {
            flight.Release();
        }
    }

    public override bool Reject(Identity refused)
    {
        // A hundred calls may be refused at once; only the first of them makes the program run again.
        Held? now = held;
        if (now is not null && ReferenceEquals(now.Identity, refused))
        {
            Interlocked.CompareExchange(ref held, null, now);
        }

        return true;
    }

    public override void Dispose()
    {
        flight.Dispose();
        base.Dispose();
    }

    private bool Valid(Held? candidate) => candidate is not null && (candidate.Expires is not { } expires || time.GetUtcNow() < expires);

    private async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        if (plugin.InteractiveMode == "Always")
        {
            throw new KubeConfigException($"exec plugin {plugin.Command} wants a terminal (interactiveMode: Always), which a controller does not have");
        }

        using Process process = Start();
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(either.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(either.Token);
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
            string complaint = (await errors.ConfigureAwait(false)).Trim();
            return process.ExitCode == 0
                ? await output.ConfigureAwait(false)
                : throw new KubeConfigException($"exec plugin {plugin.Command} failed with exit code {process.ExitCode}: {complaint}");
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new KubeConfigException($"exec plugin {plugin.Command} gave no answer within {Patience.TotalMinutes} minutes");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(plugin.Command, plugin.Arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in plugin.Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["KUBERNETES_EXEC_INFO"] = ExecInfo();
        try
        {
            return Process.Start(start) ?? throw new KubeConfigException($"exec plugin {plugin.Command} did not start");
        }
        catch (Win32Exception e)
        {
            string hint = plugin.InstallHint is { } text ? $" {text}" : "";
            throw new KubeConfigException($"exec plugin {plugin.Command} cannot be started: {e.Message}.{hint}", e);
        }
    }

    internal string ExecInfo()
    {
        var spec = new JsonObject { ["interactive"] = false };
        if (plugin.ProvideClusterInfo)
        {
            string? ca = config.CertificateAuthorityPem
                ?? (config.CertificateAuthorityFile is { } file && File.Exists(file) ? File.ReadAllText(file) : null);
            spec["cluster"] = new JsonObject
            {
                ["server"] = config.Server.OriginalString,
                ["tls-server-name"] = config.TlsServerName,
                ["insecure-skip-tls-verify"] = config.InsecureSkipTlsVerify,
                ["certificate-authority-data"] = ca is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(ca)),
                ["proxy-url"] = config.ProxyUrl?.OriginalString,
            };
        }

        return new JsonObject { ["kind"] = "ExecCredential", ["apiVersion"] = plugin.ApiVersion, ["spec"] = spec }.ToJsonString();
    }

    private Held Parse(string output)
    {
        JsonObject? status;
        try
        {
            JsonNode? answer = JsonNode.Parse(output);
            if (answer?["apiVersion"]?.ToString() != plugin.ApiVersion)
            {
                throw new KubeConfigException($"exec plugin {plugin.Command} answered with apiVersion \"{answer?["apiVersion"]}\" instead of \"{plugin.ApiVersion}\"");
            }

            status = answer["status"] as JsonObject;
        }
        catch (JsonException e)
        {
            throw new KubeConfigException($"exec plugin {plugin.Command} did not print an ExecCredential: {e.Message}", e);
        }

        string? token = status?["token"]?.ToString();
        string? certificate = status?["clientCertificateData"]?.ToString();
        string? key = status?["clientKeyData"]?.ToString();
        if ((certificate is null) != (key is null))
        {
            throw new KubeConfigException($"exec plugin {plugin.Command} must give both clientCertificateData and clientKeyData, or neither");
        }

        if (token is null && certificate is null)
        {
            throw new KubeConfigException($"exec plugin {plugin.Command} gave neither a token nor a certificate");
        }

        X509Certificate2? x509 = certificate is null ? null : Certificate(certificate, key!, $"exec plugin {plugin.Command}");
        DateTimeOffset? expires = DateTimeOffset.TryParse(status?["expirationTimestamp"]?.ToString(), out DateTimeOffset at) ? at : null;
        return new Held(new Identity(token is null ? null : new AuthenticationHeaderValue("Bearer", token), x509), expires);
    }
}
