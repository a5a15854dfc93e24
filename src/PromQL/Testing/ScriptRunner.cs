using System.Globalization;
using OptiInfra.PromQL.Builtins;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Testing;

public enum ScriptOutcome
{
    Passed,
    Failed,
    Refused,
}

/// <summary>What became of one evaluation (or of a line that could not be read).</summary>
public sealed record ScriptCase(int Line, string Text, ScriptOutcome Outcome, string? Message = null);

/// <summary>
/// Runs Prometheus' PromQL test scripts: <see cref="ScriptParser"/> reads the commands, this class loads series into a
/// <see cref="SeriesStore"/>, evaluates, and <see cref="ScriptCheck"/> compares. An instant query is also run with every selector
/// pinned to its time by @ and evaluated at other times, and as the middle step of a range query, as Prometheus' own tests do.
/// </summary>
public static class ScriptRunner
{
    public static IReadOnlyList<ScriptCase> Run(string script, PrometheusVersion version)
    {
        var options = new EngineOptions { Version = version, DelayedNameRemoval = version >= PrometheusVersion.V30 };
        var parserOptions = new ParserOptions { Version = version, ExperimentalFunctions = true, DurationExpressions = version >= PrometheusVersion.V30 };
        var store = new SeriesStore();
        var cases = new List<ScriptCase>();
        foreach (ScriptCommand command in ScriptParser.Parse(script))
        {
            switch (command)
            {
                case ScriptCommand.Clear:
                    store.Clear();
                    break;
                case ScriptCommand.Load load:
                    if (ScriptLoad.Apply(load, store) is { } mistake)
                    {
                        cases.Add(new ScriptCase(load.Line, "load", ScriptOutcome.Failed, mistake));
                    }
                    break;
                case ScriptCommand.Bad bad:
                    cases.Add(new ScriptCase(bad.Line, bad.Text, bad.IsRefusal ? ScriptOutcome.Refused : ScriptOutcome.Failed, bad.Message));
                    break;
                case ScriptCommand.Eval eval:
                    string? problem = Check(eval, store, options, parserOptions);
                    cases.Add(new ScriptCase(eval.Line, eval.Expr, problem is null ? ScriptOutcome.Passed : ScriptOutcome.Failed, problem));
                    break;
            }
        }
        return cases;
    }

    private static string? Check(ScriptCommand.Eval eval, SeriesStore store, EngineOptions options, ParserOptions parserOptions)
    {
        ParseResult parsed = PromQLParser.Parse(eval.Expr, parserOptions);
        if (parsed.Expr is not { } expr)
        {
            return "parse error: " + parsed.Diagnostics[0].Message;
        }
        if (eval.IsRange)
        {
            var steps = new Steps(eval.Start.Milliseconds, eval.End.Milliseconds, eval.Step.Milliseconds);
            return ScriptCheck.Compare(eval, QueryEngine.Range(expr, store, steps, options), steps);
        }
        long time = eval.Start.Milliseconds;
        if (Instant(eval, expr, store, time, options) is { } problem)
        {
            return problem;
        }
        if (PinnedSelectors.Pin(expr, time) is not { } pinned)
        {
            return null;
        }
        long[] others = time == 0 ? [-1000, 0, 1000] : [-10 * time, 0, time / 5, time, 10 * time];
        return others.Select(other => Instant(eval, pinned, store, other, options) is { } wrong
                ? string.Create(CultureInfo.InvariantCulture, $"{wrong} (for {pinned} at {other} ms)") : null)
            .FirstOrDefault(wrong => wrong is not null);
    }

    private static string? Instant(ScriptCommand.Eval eval, Expr expr, SeriesStore store, long time, EngineOptions options)
    {
        QueryResult result = QueryEngine.Instant(expr, store, time, options);
        if (ScriptCheck.Compare(eval, result, new Steps(time, time, 1)) is { } problem)
        {
            return problem;
        }
        if (result.Error is not null || eval.Expects(ExpectationKind.Ordered) || expr.Type is PromType.String or PromType.Matrix)
        {
            return null;
        }
        var steps = new Steps(time - 60_000, time + 60_000, 60_000);
        QueryResult range = QueryEngine.Range(expr, store, steps, options);
        if (range.Error is not null)
        {
            return "in range mode: " + range.Error;
        }
        QueryResult middle = new(result.Type, [.. range.Series
            .Select(series => series with { Points = [.. series.Points.Where(point => point.Time == time)] })
            .Where(series => series.Points.Count > 0)]);
        return ScriptCheck.CompareValues(eval, middle, new Steps(time, time, 1)) is { } wrong ? "in range mode: " + wrong : null;
    }
}

/// <summary>Sets an @ modifier wherever there is none, which must not change the result.</summary>
internal static class PinnedSelectors
{
    /// <summary>Null when the expression depends on the evaluation time in other ways.</summary>
    public static Expr? Pin(Expr expr, long time) =>
        expr.Walk().OfType<Call>().Any(call => FunctionTable.DependsOnTime.Contains(call.Function.Name)) ? null : Rewrite(expr, new AtModifier(AtKind.Timestamp, time));

    private static Expr Rewrite(Expr expr, AtModifier at) => expr switch
    {
        VectorSelector selector => Pin(selector, at),
        MatrixSelector matrix => matrix with { Selector = Pin(matrix.Selector, at) },
        // Inside a pinned subquery nothing depends on the evaluation time any more.
        SubqueryExpr subquery => subquery.At.IsSet ? subquery : subquery with { At = at },
        ParenExpr paren => paren with { Inner = Rewrite(paren.Inner, at) },
        UnaryExpr unary => unary with { Inner = Rewrite(unary.Inner, at) },
        BinaryExpr binary => binary with { Left = Rewrite(binary.Left, at), Right = Rewrite(binary.Right, at) },
        Call call => call with { Args = [.. call.Args.Select(arg => Rewrite(arg, at))] },
        Aggregation aggregation => aggregation with
        {
            Inner = Rewrite(aggregation.Inner, at),
            Param = aggregation.Param is null ? null : Rewrite(aggregation.Param, at),
        },
        _ => expr,
    };

    private static VectorSelector Pin(VectorSelector selector, AtModifier at) => selector.At.IsSet ? selector : selector with { At = at };
}
