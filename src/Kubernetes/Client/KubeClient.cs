using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

/// <summary>How a client behaves, apart from where it connects to.</summary>
public sealed record KubeClientOptions
{
    public string UserAgent { get; init; } = "optiinfra";

    /// <summary>How long a call may take, body included. Watches have their own deadline.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(70);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public KubeMetrics Metrics { get; init; } = KubeMetrics.None;
}

/// <summary>
/// The front door to a cluster. Reads give typed views (<see cref="ResourceType{T}"/>), writes take manifests:
///   KubeConfig.Load      finds the cluster as kubectl does (files, merged KUBECONFIG, service account, exec plugins);
///   Get/List/Watch       in KubeClient.Read.cs; lists page by themselves, a watch is an IAsyncEnumerable;
///   Create/Replace/Patch/Apply/Delete  in KubeClient.Write.cs; apply is what controllers should use.
/// Guarantees: a call ends by its deadline, a watch by its own; Retry-After is obeyed; every failure is a
/// <see cref="KubeException"/>. It keeps no cache and decides no retries beyond what the server asked for: that is the
/// runtime's work.
/// </summary>
public sealed partial class KubeClient : IDisposable
{
    private readonly KubeTransport transport;
    private readonly KubeClientOptions options;

    public KubeClient(KubeConfig config, KubeClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        this.options = options ?? new KubeClientOptions();
        transport = new KubeTransport(config, this.options);
    }

    public KubeConfig Config { get; }

    internal TimeProvider Time => options.Time;

    internal KubeMetrics Metrics => options.Metrics;

    public void Dispose() => transport.Dispose();

    /// <summary>GETs any path of the server, such as <c>/version</c> or <c>/readyz</c>.</summary>
    public async Task<string> GetTextAsync(string path, CancellationToken cancellationToken) =>
        System.Text.Encoding.UTF8.GetString(await CallAsync(new KubeRequest(HttpMethod.Get, path) { Accept = "*/*" }, cancellationToken).ConfigureAwait(false));

    private async Task<byte[]> CallAsync(KubeRequest request, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.RequestTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            using KubeResponse response = await transport.SendAsync(request, either.Token).ConfigureAwait(false);
            return await response.Message.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && deadline.IsCancellationRequested)
        {
            throw new KubeTransportException($"{request.Method} {request.PathAndQuery}: no answer within {options.RequestTimeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (KubeTransport.IsFailure(e))
        {
            throw KubeTransport.Failure($"{request.Method} {request.PathAndQuery}", e);
        }
    }

    private async Task<JsonObject> CallForObjectAsync(KubeRequest request, CancellationToken cancellationToken)
    {
        byte[] body = await CallAsync(request, cancellationToken).ConfigureAwait(false);
        return Decode(request, () => JsonNode.Parse(body) as JsonObject);
    }

    private static T Decode<T>(KubeRequest request, Func<T?> decode)
        where T : class
    {
        try
        {
            return decode() ?? throw new KubeFormatException($"{request.Method} {request.PathAndQuery}: the answer is not an object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new KubeFormatException($"{request.Method} {request.PathAndQuery}: the answer cannot be read: {e.Message}", e);
        }
    }

    private static byte[] Bytes(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            node.WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string Query(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var query = new System.Text.StringBuilder();
        foreach ((string name, string? value) in parameters)
        {
            if (value is not null)
            {
                query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
            }
        }

        return query.ToString();
    }
}
