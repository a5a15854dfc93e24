using OptiInfra.PromQL.Builtins;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Engine;

// A tour of the engine, in flow order:
//
//   QueryEngine      the front door: an expression, a store and a time (range) in, a QueryResult out.
//   Evaluator        walks the tree. Every node is evaluated for all steps at once and gives EvalSeries: one column of
//                    values per series, one row per step. An instant query is a range query with one step.
//   BinaryOperations, Aggregations, TopAggregations    operators on such columns.
//   Builtins/        FunctionTable maps names to functions; the families are one file each. Functions over ranges see a
//                    RangeWindow (the samples of one series in one range), all others see columns.
//
// It answers as Prometheus of the asked version does, down to rounding, warnings and error texts. It reads from memory
// only, has no clock and no limits of its own: the caller bounds the number of steps.

/// <summary>How the engine of a Prometheus server is set up.</summary>
public sealed record EngineOptions
{
    public static readonly EngineOptions Default = new();

    public PrometheusVersion Version { get; init; } = PrometheusVersion.Default;

    /// <summary>How far back an instant selector looks for the latest sample (<c>--query.lookback-delta</c>).</summary>
    public TimeSpan Lookback { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The step of a subquery that names none: the global evaluation interval.</summary>
    public TimeSpan DefaultSubqueryStep { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Feature flag promql-delayed-name-removal.</summary>
    public bool DelayedNameRemoval { get; init; }
}

/// <summary>A remark on a result that is nevertheless valid.</summary>
public readonly record struct QueryAnnotation(bool IsWarning, string Text)
{
    public override string ToString() => (IsWarning ? "PromQL warning: " : "PromQL info: ") + Text;
}

internal readonly record struct ResultPoint(long Time, SampleValue Value);

internal sealed record ResultSeries(Labels Labels, IReadOnlyList<ResultPoint> Points);

/// <summary>
/// What a query gives: an <see cref="Error"/>, or series. A vector has one point per series, a scalar one series without
/// labels, a string is in <see cref="Text"/>.
/// </summary>
internal sealed record QueryResult(PromType Type, IReadOnlyList<ResultSeries> Series)
{
    public string? Text { get; init; }

    public string? Error { get; init; }

    public IReadOnlyCollection<QueryAnnotation> Annotations { get; init; } = [];
}

/// <summary>The expression asks for something that cannot be answered with this data; the message is Prometheus' own.</summary>
internal sealed class EvaluationException(string message) : Exception(message);

internal static class QueryEngine
{
    /// <summary>Evaluates at one instant, in milliseconds since the epoch.</summary>
    public static QueryResult Instant(Expr expr, SeriesStore store, long time, EngineOptions options) =>
        Run(expr, store, new Steps(time, time, 1), options, isRange: false);

    /// <summary>Evaluates at every step from start to end, both included; the series come sorted by their labels.</summary>
    public static QueryResult Range(Expr expr, SeriesStore store, Steps steps, EngineOptions options)
    {
        if (expr.Type is not (PromType.Vector or PromType.Scalar))
        {
            return new QueryResult(PromType.Matrix, [])
            {
                Error = $"invalid expression type \"{expr.Type.Describe()}\" for range query, must be Scalar or instant Vector",
            };
        }
        return Run(expr, store, steps, options, isRange: true);
    }

    private static QueryResult Run(Expr expr, SeriesStore store, Steps steps, EngineOptions options, bool isRange)
    {
        var evaluator = new Evaluator(store, options, steps);
        try
        {
            Expr bare = expr.Unparenthesized();
            if (bare is StringLiteral text)
            {
                return new QueryResult(PromType.String, []) { Text = text.Value };
            }
            IReadOnlyList<ResultSeries> series = expr.Type == PromType.Matrix
                ? evaluator.RangeOf(bare, steps).Select(source => Points(source, steps.Start)).Where(s => s.Points.Count > 0).ToList()
                : evaluator.Result(expr, steps).Select(column => Points(column, steps)).ToList();
            if (isRange || expr.Type == PromType.Matrix)
            {
                series = [.. series.OrderBy(s => s.Labels)];
            }
            return new QueryResult(isRange ? PromType.Matrix : expr.Type, series) { Annotations = evaluator.Notes.All };
        }
        catch (EvaluationException error)
        {
            return new QueryResult(expr.Type, []) { Error = error.Message, Annotations = evaluator.Notes.All };
        }
    }

    private static ResultSeries Points(EvalSeries column, Steps steps)
    {
        var points = new List<ResultPoint>();
        for (int i = 0; i < steps.Count; i++)
        {
            if (column[i] is { IsPresent: true } value)
            {
                points.Add(new ResultPoint(steps[i], value));
            }
        }
        return new ResultSeries(column.Labels, points);
    }

    private static ResultSeries Points(RangeSource source, long time)
    {
        var window = source.At(time);
        var points = new List<ResultPoint>();
        foreach (FloatPoint point in window.Floats)
        {
            points.Add(new ResultPoint(point.Time, point.Value));
        }
        foreach (HistogramPoint point in window.Histograms)
        {
            points.Add(new ResultPoint(point.Time, SampleValue.Of(point.Value)));
        }
        points.Sort((a, b) => a.Time.CompareTo(b.Time));
        return new ResultSeries(source.Labels, points);
    }
}
