using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Builtins;

/// <summary>
/// info(): adds to each series the labels of the info series (target_info unless another name is asked for) that has the
/// same instance and job. The second argument says which labels, and what they must be.
/// </summary>
internal static class InfoFunction
{
    private static readonly HashSet<string> Identifying = ["instance", "job"];

    public static List<EvalSeries> Eval(FunctionCall call)
    {
        Evaluator evaluator = call.Evaluator;
        List<EvalSeries> bases = evaluator.Eval(call.Call.Args[0], call.Steps);
        LabelMatcher[] matchers = call.Call.Args.Length > 1 ? [.. ((VectorSelector)call.Call.Args[1]).Matchers] : [];
        var tests = matchers.Select(m => (m.Name, Accepts: SeriesMatcher.Test(m, evaluator.Options.Version))).ToList();
        var nameTests = tests.Where(test => test.Name == Labels.MetricName).ToList();
        if (nameTests.Count == 0)
        {
            nameTests.Add((Labels.MetricName, name => name == "target_info"));
        }
        var dataTests = tests.Where(test => test.Name != Labels.MetricName).ToList();
        bool IsInfo(EvalSeries series) => nameTests.Exists(test => test.Accepts(series.Labels.Name));
        List<InfoSeries> infos = Find(call, bases.Where(series => !IsInfo(series)), [.. nameTests, .. dataTests]);
        var joined = new List<EvalSeries>();
        foreach (EvalSeries series in bases)
        {
            if (IsInfo(series))
            {
                joined.Add(series);
            }
            else
            {
                joined.AddRange(Enrich(call, series, infos, dataTests));
            }
        }
        return call.Finished(joined);
    }

    /// <summary>An info series: at which steps it is there, and when its sample was taken.</summary>
    private sealed record InfoSeries(Labels Labels, Labels Identity, long?[] Times);

    private static List<InfoSeries> Find(FunctionCall call, IEnumerable<EvalSeries> bases, List<(string, Func<string, bool>)> tests)
    {
        var values = Identifying.ToDictionary(name => name, _ => new HashSet<string>(StringComparer.Ordinal));
        foreach (EvalSeries series in bases)
        {
            foreach (string name in Identifying.Where(name => series.Labels[name].Length > 0))
            {
                values[name].Add(series.Labels[name]);
            }
        }
        foreach ((string name, HashSet<string> known) in values.Where(pair => pair.Value.Count > 0))
        {
            tests.Add((name, known.Contains));
        }
        var found = new List<InfoSeries>();
        if (values.Values.All(known => known.Count == 0))
        {
            return found;
        }
        Evaluator evaluator = call.Evaluator;
        foreach (StoredSeries series in evaluator.Store.Select(SeriesMatcher.For(tests)))
        {
            var lookup = new Lookback(series, (long)evaluator.Options.Lookback.TotalMilliseconds, evaluator.IsV3);
            var times = new long?[call.Steps.Count];
            for (int i = 0; i < times.Length; i++)
            {
                times[i] = lookup.Find(call.Steps[i], out long time).IsPresent ? time : null;
            }
            found.Add(new InfoSeries(series.Labels, series.Labels.Keep(Identifying), times));
        }
        return found;
    }

    private static List<EvalSeries> Enrich(FunctionCall call, EvalSeries series, List<InfoSeries> infos, List<(string Name, Func<string, bool> Accepts)> tests)
    {
        var outputs = new Dictionary<Labels, EvalSeries>();
        Labels identity = series.Labels.Keep(Identifying);
        List<InfoSeries> candidates = infos.FindAll(info => info.Identity.Equals(identity));
        for (int i = 0; i < call.Steps.Count; i++)
        {
            if (!series.Has(i))
            {
                continue;
            }
            Labels added = LabelsAt(series.Labels, candidates, i, tests);
            if (added.Count == 0 && tests.Exists(test => !test.Accepts("")))
            {
                continue;
            }
            Labels labels = added.Aggregate(series.Labels, (all, label) => all.With(label.Name, label.Value));
            if (!outputs.TryGetValue(labels, out EvalSeries? output))
            {
                outputs.Add(labels, output = new EvalSeries(labels, call.Steps.Count) { DropName = series.DropName });
            }
            output[i] = series[i];
        }
        return [.. outputs.Values];
    }

    private static Labels LabelsAt(Labels own, List<InfoSeries> candidates, int step, List<(string Name, Func<string, bool> Accepts)> tests)
    {
        Labels added = Labels.Empty;
        foreach (IGrouping<string, InfoSeries> sameName in candidates.Where(info => info.Times[step] is not null).GroupBy(info => info.Labels.Name))
        {
            InfoSeries newest = sameName.MaxBy(info => info.Times[step])!;
            if (sameName.Count(info => info.Times[step] == newest.Times[step]) > 1)
            {
                throw new EvaluationException($"found duplicate series for info metric {sameName.Key}");
            }
            foreach (Label label in newest.Labels.Where(label => label.Name != Labels.MetricName))
            {
                bool wanted = tests.Count == 0 || tests.Exists(test => test.Name == label.Name);
                if (!wanted)
                {
                    continue;
                }
                if (added[label.Name] is { Length: > 0 } other && other != label.Value)
                {
                    throw new EvaluationException($"conflicting label: {label.Name}");
                }
                added = own[label.Name].Length > 0 ? added : added.With(label.Name, label.Value);
            }
        }
        return added;
    }
}
