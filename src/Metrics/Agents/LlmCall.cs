using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OptiInfra.Metrics.Agents;

/// <summary>What one call to a language model used. Token counts include their parts: input includes cached, output includes reasoning.</summary>
public readonly record struct LlmUsage(string Provider, string Model, long InputTokens = 0, long OutputTokens = 0)
{
    /// <summary>Input tokens the provider read from its cache.</summary>
    public long CachedInputTokens { get; init; }

    /// <summary>Input tokens the provider wrote to its cache.</summary>
    public long CacheWriteTokens { get; init; }

    /// <summary>Output tokens spent on thinking.</summary>
    public long ReasoningTokens { get; init; }

    /// <summary>What the provider charged, in US dollars; null asks the price list.</summary>
    public double? CostUsd { get; init; }

    /// <summary>From the request to the last byte of the answer; null when it was not measured.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>From the request to the first chunk of a streamed answer.</summary>
    public TimeSpan? TimeToFirstToken { get; init; }

    /// <summary>How many chunks a streamed answer had.</summary>
    public int Chunks { get; init; }

    /// <summary>Kind of failure; empty on success.</summary>
    public string ErrorType { get; init; } = "";

    /// <summary><c>chat</c>, <c>embeddings</c>, …, as the GenAI conventions name it.</summary>
    public string Operation { get; init; } = "chat";

    /// <summary><c>stop</c>, <c>length</c>, <c>tool</c>, <c>filter</c> or <c>error</c>; empty when unknown.</summary>
    public string FinishReason { get; init; } = "";
}

/// <summary>A metric set that can record calls to language models, in the names of its dialect.</summary>
public interface ILlmMetrics
{
    /// <summary>Records one finished call.</summary>
    void Record(in LlmUsage usage);
}

/// <summary>
/// A call under way: <c>using LlmCall call = metrics.StartLlmCall("openai", model);</c> and, once the answer is there,
/// <c>call.Complete(inputTokens, outputTokens)</c>. Disposed without that, the call counts as failed.
/// Time runs to the dispose, so a streamed answer is measured to its last chunk.
/// </summary>
public sealed class LlmCall : IDisposable
{
    private readonly ILlmMetrics _metrics;
    private readonly long _start = Stopwatch.GetTimestamp();
    private LlmUsage _usage;
    private int _state;

    internal LlmCall(ILlmMetrics metrics, string provider, string model, string operation)
    {
        _metrics = metrics;
        _usage = new LlmUsage(provider, model) { Operation = operation, ErrorType = ErrorTypes.Unfinished };
    }

    /// <summary>Marks the arrival of a chunk; the first one is the time to first token.</summary>
    public void Chunk() => _usage = _usage with
    {
        TimeToFirstToken = _usage.TimeToFirstToken ?? Stopwatch.GetElapsedTime(_start),
        Chunks = _usage.Chunks + 1,
    };

    /// <summary>The call succeeded with this usage.</summary>
    public void Complete(long inputTokens, long outputTokens, double? costUsd = null) =>
        Complete(new LlmUsage(_usage.Provider, _usage.Model, inputTokens, outputTokens) { CostUsd = costUsd });

    /// <summary>The call succeeded; time and chunks measured here are kept unless the usage brings its own.</summary>
    public void Complete(LlmUsage usage) => _usage = usage with
    {
        Operation = _usage.Operation,
        TimeToFirstToken = usage.TimeToFirstToken ?? _usage.TimeToFirstToken,
        Chunks = usage.Chunks > 0 ? usage.Chunks : _usage.Chunks,
    };

    /// <summary>The call failed.</summary>
    public void Fail(Exception problem) => _usage = _usage with { ErrorType = ErrorTypes.Of(problem), FinishReason = "error" };

    /// <summary>Passes a streamed answer on and marks its chunks. A failure of the stream is recorded and passed on.</summary>
    public async IAsyncEnumerable<T> Measure<T>(IAsyncEnumerable<T> answer, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using IAsyncEnumerator<T> chunks = answer.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await chunks.MoveNextAsync())
                {
                    break;
                }
            }
            catch (Exception problem)
            {
                Fail(problem);
                throw;
            }

            Chunk();
            yield return chunks.Current;
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _state, 1) == 0)
        {
            _metrics.Record(_usage with { Duration = _usage.Duration ?? Stopwatch.GetElapsedTime(_start) });
        }
    }
}

/// <summary>Starting calls, the same on every set that records them.</summary>
public static class LlmTracking
{
    /// <summary>Begins to measure a call.</summary>
    public static LlmCall StartLlmCall(this ILlmMetrics metrics, string provider, string model, string operation = "chat") => new(metrics, provider, model, operation);

    /// <summary>Records a call whose usage is known; the cost comes from the price list when it is left out.</summary>
    public static void TrackLlmCall(this ILlmMetrics metrics, string provider, string model, long inputTokens, long outputTokens, double? costUsd = null, TimeSpan? duration = null) =>
        metrics.Record(new LlmUsage(provider, model, inputTokens, outputTokens) { CostUsd = costUsd, Duration = duration });

    /// <summary>Measures a call from start to end. The usage is read from the answer.</summary>
    public static async Task<T> TrackLlmCallAsync<T>(this ILlmMetrics metrics, string provider, string model, Func<LlmCall, Task<T>> call, Func<T, LlmUsage> usage)
    {
        using LlmCall scope = metrics.StartLlmCall(provider, model);
        try
        {
            T answer = await call(scope);
            scope.Complete(usage(answer));
            return answer;
        }
        catch (Exception problem)
        {
            scope.Fail(problem);
            throw;
        }
    }
}
