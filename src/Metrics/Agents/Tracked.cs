using System.Diagnostics;

namespace OptiInfra.Metrics.Agents;

/// <summary>Wraps code so that its duration or its failures are recorded. What the code returns or throws passes through unchanged.</summary>
public static class Tracked
{
    /// <summary>Observes how long the code takes, failed or not.</summary>
    public static T TrackDuration<T>(this HistogramSeries duration, Func<T> code)
    {
        using (duration.Time())
        {
            return code();
        }
    }

    /// <inheritdoc cref="TrackDuration{T}(HistogramSeries, Func{T})"/>
    public static void TrackDuration(this HistogramSeries duration, Action code)
    {
        using (duration.Time())
        {
            code();
        }
    }

    /// <inheritdoc cref="TrackDuration{T}(HistogramSeries, Func{T})"/>
    public static async Task<T> TrackDurationAsync<T>(this HistogramSeries duration, Func<Task<T>> code)
    {
        using (duration.Time())
        {
            return await code();
        }
    }

    /// <inheritdoc cref="TrackDuration{T}(HistogramSeries, Func{T})"/>
    public static async Task TrackDurationAsync(this HistogramSeries duration, Func<Task> code)
    {
        using (duration.Time())
        {
            await code();
        }
    }

    /// <summary>Counts a failure by its kind. The counter's only label is the error's type.</summary>
    public static T TrackErrors<T>(this Counter errors, Func<T> code)
    {
        try
        {
            return code();
        }
        catch (Exception problem)
        {
            errors.WithLabels(ErrorTypes.Of(problem)).Inc();
            throw;
        }
    }

    /// <inheritdoc cref="TrackErrors{T}(Counter, Func{T})"/>
    public static void TrackErrors(this Counter errors, Action code) => errors.TrackErrors(() =>
    {
        code();
        return true;
    });

    /// <inheritdoc cref="TrackErrors{T}(Counter, Func{T})"/>
    public static async Task<T> TrackErrorsAsync<T>(this Counter errors, Func<Task<T>> code)
    {
        try
        {
            return await code();
        }
        catch (Exception problem)
        {
            errors.WithLabels(ErrorTypes.Of(problem)).Inc();
            throw;
        }
    }

    /// <inheritdoc cref="TrackErrors{T}(Counter, Func{T})"/>
    public static Task TrackErrorsAsync(this Counter errors, Func<Task> code) => errors.TrackErrorsAsync(async () =>
    {
        await code();
        return true;
    });

    /// <summary>Calls <paramref name="done"/> with the outcome (<c>success</c>, <c>error</c>, <c>cancelled</c>) and the seconds taken.</summary>
    internal static async Task<T> OutcomeAsync<T>(Func<Task<T>> code, Action<string, double> done)
    {
        long start = Stopwatch.GetTimestamp();
        string outcome = "error";
        try
        {
            T result = await code();
            outcome = "success";
            return result;
        }
        catch (OperationCanceledException)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            done(outcome, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }
}
