using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OptiInfra.Operator.Prometheus;

/// <summary>
/// What we ask of a Prometheus server: reload your configuration; what are you scraping, which rules do you run, which
/// alerts are active, how are you. Reads are streamed and typed (PrometheusModel.cs); every call has a
/// deadline. What can go wrong is one of three <see cref="PrometheusException"/>s: nobody answers, the server refuses,
/// or it answers something we do not understand. It never retries: whoever asks again soon anyway decides that.
/// </summary>
internal sealed class PrometheusApi : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly HttpClient http;

    public PrometheusApi(Uri address, TimeSpan? deadline = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        Address = address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");
        SocketsHttpHandler handler = new()
        {
            AutomaticDecompression = DecompressionMethods.All,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // A server behind a Service moves; old connections would keep talking to the pod that left.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
        http = new HttpClient(handler) { BaseAddress = Address, Timeout = deadline ?? Deadline };
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public Uri Address { get; }

    /// <summary>The server has replayed its log and answers queries.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken stop)
    {
        try
        {
            using HttpResponseMessage response = await SendAsync(HttpMethod.Get, "-/ready", stop);
            return response.IsSuccessStatusCode;
        }
        catch (PrometheusUnreachableException)
        {
            return false;
        }
    }

    /// <summary>Asks for a reload and waits for its end; <see cref="PrometheusRefusedException"/> carries why the server kept its old configuration.</summary>
    public async Task ReloadAsync(CancellationToken stop)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, "-/reload", stop);
        if (!response.IsSuccessStatusCode)
        {
            string text = await response.Content.ReadAsStringAsync(stop);
            throw new PrometheusRefusedException((int)response.StatusCode, text.Trim());
        }
    }

    /// <summary>The targets that are scraped now; dropped ones are only counted by the server.</summary>
    public Task<TargetList> TargetsAsync(CancellationToken stop) =>
        ReadAsync("api/v1/targets?state=active", PrometheusJson.Default.AnswerTargetList, stop);

    /// <summary>All loaded rule groups with the health of each rule and the alerts that are active.</summary>
    public Task<RuleGroupList> RulesAsync(CancellationToken stop) =>
        ReadAsync("api/v1/rules", PrometheusJson.Default.AnswerRuleGroupList, stop);

    public Task<AlertList> AlertsAsync(CancellationToken stop) =>
        ReadAsync("api/v1/alerts", PrometheusJson.Default.AnswerAlertList, stop);

    public Task<RuntimeInfo> RuntimeInfoAsync(CancellationToken stop) =>
        ReadAsync("api/v1/status/runtimeinfo", PrometheusJson.Default.AnswerRuntimeInfo, stop);

    public Task<BuildInfo> BuildInfoAsync(CancellationToken stop) =>
        ReadAsync("api/v1/status/buildinfo", PrometheusJson.Default.AnswerBuildInfo, stop);

    /// <summary>The root configuration as the server reads it, without the files it includes.</summary>
    public async Task<string> ConfigAsync(CancellationToken stop) =>
        (await ReadAsync("api/v1/status/config", PrometheusJson.Default.AnswerLoadedConfig, stop)).Yaml;

    public Task<TsdbStatus> TsdbStatusAsync(CancellationToken stop) =>
        ReadAsync("api/v1/status/tsdb", PrometheusJson.Default.AnswerTsdbStatus, stop);

    /// <summary>Evaluates an instant query that yields a vector.</summary>
    public async Task<IReadOnlyList<Sample>> QueryAsync(string expression, CancellationToken stop)
    {
        string path = "api/v1/query?query=" + Uri.EscapeDataString(expression);
        return (await ReadAsync(path, PrometheusJson.Default.AnswerQueryResult, stop)).Result;
    }

    public void Dispose() => http.Dispose();

    private async Task<T> ReadAsync<T>(string path, JsonTypeInfo<Answer<T>> type, CancellationToken stop)
        where T : class
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, path, stop);
        Answer<T>? answer = null;
        try
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(stop);
            answer = await JsonSerializer.DeserializeAsync(body, type, stop);
        }
        catch (JsonException error) when (response.IsSuccessStatusCode)
        {
            throw new PrometheusProtocolException($"{path} answered something that is not the Prometheus API: {error.Message}", error);
        }
        catch (JsonException)
        {
            // A proxy's error page: the status below says all there is to say.
        }
        catch (Exception error) when (IsTransport(error, stop))
        {
            throw Unreachable(error);
        }

        if (!response.IsSuccessStatusCode || answer is { Status: "error" })
        {
            throw new PrometheusRefusedException((int)response.StatusCode, answer?.Error ?? response.ReasonPhrase ?? "no reason given");
        }

        return answer?.Data ?? throw new PrometheusProtocolException($"{path} answered without data", null);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, CancellationToken stop)
    {
        try
        {
            using HttpRequestMessage request = new(method, path);
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        }
        catch (Exception error) when (IsTransport(error, stop))
        {
            throw Unreachable(error);
        }
    }

    /// <summary>The wire failed or the deadline passed; a caller who cancelled gets his own cancellation.</summary>
    private static bool IsTransport(Exception error, CancellationToken stop) =>
        error is HttpRequestException or IOException || (error is OperationCanceledException && !stop.IsCancellationRequested);

    private PrometheusUnreachableException Unreachable(Exception error) =>
        new($"Prometheus at {Address} does not answer: {(error.InnerException ?? error).Message}", error);
}
