using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Builtins;

/// <summary>Functions that work on labels: they see whole series, not samples.</summary>
internal static class LabelFunctions
{
    public static List<EvalSeries> Replace(FunctionCall call)
    {
        string target = call.Text(1), replacement = call.Text(2), source = call.Text(3), pattern = call.Text(4);
        PrometheusVersion version = call.Evaluator.Options.Version;
        if (RegexSyntax.Check(pattern).Error is not null)
        {
            throw new EvaluationException($"invalid regular expression in label_replace(): {pattern}");
        }
        RequireName(target, "destination", "label_replace", version);
        GoRegex regex = SeriesMatcher.Anchored(pattern, version);
        return Relabel(call, target, labels => regex.ExpandFirst(labels[source], replacement) is { } value ? labels.With(target, value) : null);
    }

    public static List<EvalSeries> Join(FunctionCall call)
    {
        string target = call.Text(1), separator = call.Text(2);
        string[] sources = [.. Enumerable.Range(3, call.Call.Args.Length - 3).Select(call.Text)];
        foreach (string source in sources)
        {
            RequireName(source, "source", "label_join", call.Evaluator.Options.Version);
        }
        RequireName(target, "destination", "label_join", call.Evaluator.Options.Version);
        return Relabel(call, target, labels => labels.With(target, string.Join(separator, sources.Select(source => labels[source]))));
    }

    /// <summary>1 when the argument is empty, with the labels that its selector pins down.</summary>
    public static List<EvalSeries> Absent(FunctionCall call)
    {
        Expr argument = call.Call.Args[0];
        List<EvalSeries> present = call.Evaluator.Eval(argument, call.Steps);
        Labels labels = argument.Unparenthesized() is VectorSelector selector ? OfSelector(selector) : Labels.Empty;
        var absent = new EvalSeries(labels, call.Steps.Count);
        for (int i = 0; i < call.Steps.Count; i++)
        {
            if (!present.Exists(series => series.Has(i)))
            {
                absent[i] = 1.0;
            }
        }
        return absent.IsEmpty ? [] : [absent];
    }

    /// <summary>The labels every series of the selector has for certain. A label that is matched twice is not among them.</summary>
    public static Labels OfSelector(VectorSelector selector)
    {
        Labels labels = Labels.Empty;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (LabelMatcher matcher in selector.Matchers.Where(m => m.Name != Labels.MetricName))
        {
            bool pins = matcher.Op == MatchOp.Equal && !seen.Contains(matcher.Name);
            labels = labels.With(matcher.Name, pins ? matcher.Value : "");
            if (pins)
            {
                seen.Add(matcher.Name);
            }
        }
        return labels;
    }

    /// <summary>Any valid UTF-8 from 3.0 on; letters, digits and underscores before.</summary>
    public static bool IsValidName(string name, PrometheusVersion version) =>
        version >= PrometheusVersion.V30 ? name.Length > 0 && !StringSyntax.HasInvalidBytes(name) : Labels.IsPlainName(name);

    private static void RequireName(string name, string role, string function, PrometheusVersion version)
    {
        if (!IsValidName(name, version))
        {
            throw new EvaluationException($"invalid {role} label name in {function}(): {name}");
        }
    }

    private static List<EvalSeries> Relabel(FunctionCall call, string target, Func<Labels, Labels?> change)
    {
        List<EvalSeries> result = call.Evaluator.Eval(call.Call.Args[0], call.Steps).ConvertAll(series =>
            change(series.Labels) is { } labels ? series.Relabeled(labels, target != Labels.MetricName && series.DropName) : series);
        Evaluator.RequireDistinct(result);
        return result;
    }
}
