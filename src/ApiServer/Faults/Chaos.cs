using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Http;

namespace OptiInfra.ApiServer.Faults;

/// <summary>What a request may be answered with instead of the truth.</summary>
public enum FaultKind
{
    /// <summary>An error with the status given, 429 with a Retry-After.</summary>
    Error,

    /// <summary>The request waits before it is served.</summary>
    Latency,

    /// <summary>The connection is closed once the answer is sent: GOAWAY over HTTP/2.</summary>
    GoAway,

    /// <summary>The connection is cut without an answer.</summary>
    Cut,

    /// <summary>A watch is ended after a while, as if the network had gone.</summary>
    DropWatch,

    /// <summary>A watch stays open and says nothing more.</summary>
    BlackHoleWatch,
}

/// <summary>One fault: which requests it hits, how often, and what happens to them.</summary>
public sealed record Fault(FaultKind Kind)
{
    public int Status { get; init; } = 500;

    public TimeSpan Delay { get; init; }

    /// <summary>From 0 to 1; the fate of a request is drawn from the server's <see cref="DevApiServerOptions.Random"/>.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>HTTP method, or null for all.</summary>
    public string? Method { get; init; }

    /// <summary>A part of the path, or null for all.</summary>
    public string? PathContains { get; init; }

    /// <summary>How many requests it hits before it is over; null never ends.</summary>
    public int? Times { get; init; }
}

/// <summary>
/// Breaks requests on purpose, for tests and <c>dev --chaos</c>. Faults can be added and taken away while the server
/// runs; health paths are never hit, so that a supervisor sees the server as up.
/// </summary>
public sealed class Chaos : IDisposable
{
    private readonly Lock gate = new();
    private readonly List<(Fault Fault, int Left)> faults = [];
    private readonly Random random;
    private CancellationTokenSource watches = new();

    internal Chaos(Random random) => this.random = random;

    public void Add(Fault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        lock (gate)
        {
            faults.Add((fault, fault.Times ?? int.MaxValue));
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            faults.Clear();
        }
    }

    /// <summary>Ends every open watch now, without a word.</summary>
    public void DropWatches()
    {
        CancellationTokenSource old = Interlocked.Exchange(ref watches, new CancellationTokenSource());
        old.Cancel();
    }

    public void Dispose() => watches.Dispose();

    /// <summary>Cancelled when open watches are dropped.</summary>
    internal CancellationToken WatchesDropped => watches.Token;

    /// <summary>What happens to a request: null, or the fault that hits it.</summary>
    internal Fault? Hit(string method, string path, bool watch)
    {
        lock (gate)
        {
            for (int i = 0; i < faults.Count; i++)
            {
                (Fault fault, int left) = faults[i];
                bool meant = (fault.Method is null || fault.Method == method)
                    && (fault.PathContains is null || path.Contains(fault.PathContains, StringComparison.Ordinal))
                    && (watch || fault.Kind is not (FaultKind.DropWatch or FaultKind.BlackHoleWatch));
                if (!meant || left == 0 || fault.Probability < 1 && random.NextDouble() >= fault.Probability)
                {
                    continue;
                }

                faults[i] = (fault, left == int.MaxValue ? left : left - 1);
                return fault;
            }

            return null;
        }
    }

    /// <summary>Does to the request what the fault says; false when nothing of it is left to serve.</summary>
    internal static async Task<bool> StrikeAsync(Fault fault, HttpContext http, TimeProvider clock)
    {
        switch (fault.Kind)
        {
            case FaultKind.Error when fault.Status == 429:
                throw ApiError.TooManyRequests(Math.Max(1, (int)fault.Delay.TotalSeconds));
            case FaultKind.Error when fault.Status == 410:
                throw ApiError.Expired("The resourceVersion for the provided list is too old.");
            case FaultKind.Error:
                throw new ApiError(fault.Status, fault.Status == 503 ? "ServiceUnavailable" : "InternalError", "Internal error occurred: injected fault");
            case FaultKind.Latency:
                await Task.Delay(fault.Delay, clock, http.RequestAborted).ConfigureAwait(false);
                return true;
            case FaultKind.Cut:
                http.Abort();
                return false;
            case FaultKind.GoAway:
                http.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeNotificationFeature>()?.RequestClose();
                return true;
            default:
                return true;
        }
    }
}
