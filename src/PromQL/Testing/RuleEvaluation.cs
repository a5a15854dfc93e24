using System.Collections.Immutable;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Testing;

internal enum AlertState
{
    Inactive,
    Pending,
    Firing,
}

/// <summary>One alert of a rule over its life. Annotations may be empty texts, labels never are.</summary>
internal sealed class ActiveAlert(Labels labels, long activeAt)
{
    public Labels Labels { get; } = labels;

    public ImmutableSortedDictionary<string, string> Annotations { get; set; } = ImmutableSortedDictionary<string, string>.Empty;

    public AlertState State { get; set; } = AlertState.Pending;

    public long ActiveAt { get; } = activeAt;

    public long? KeepFiringSince { get; set; }

    public long? ResolvedAt { get; set; }
}

/// <summary>
/// The rules of a test at work: each evaluation queries the store, appends what rules record and the ALERTS series, and marks as
/// stale what a rule no longer gives, as Prometheus' rule manager does.
/// </summary>
internal sealed class RuleEvaluation
{
    /// <summary>A resolved alert is remembered this long, so that its name is not given to a new one.</summary>
    private const long ResolvedRetentionMs = 15 * 60 * 1000;

    private readonly SeriesStore store;
    private readonly EngineOptions options;
    private readonly ParserOptions parserOptions;
    private readonly IReadOnlyDictionary<string, string> externalLabels;
    private readonly string externalUrl;
    private readonly List<(RuleGroup Group, List<RuleState> Rules)> groups;

    public RuleEvaluation(IEnumerable<RuleGroup> groups, RuleTest test, SeriesStore store, EngineOptions options, ParserOptions parserOptions)
    {
        this.store = store;
        this.options = options;
        this.parserOptions = parserOptions;
        externalLabels = test.ExternalLabels.ToDictionary(label => label.Key, label => label.Value);
        externalUrl = test.ExternalUrl;
        this.groups = [.. groups.Select(group => (group, group.Rules.Select(rule => new RuleState(rule, group, parserOptions.Version)).ToList()))];
    }

    public IEnumerable<RuleState> Alerts => groups.SelectMany(group => group.Rules).Where(state => state.Rule.IsAlert);

    /// <summary>Evaluates all groups at one time; gives the rules that failed.</summary>
    public List<(Rule Rule, string Error)> At(long time)
    {
        var errors = new List<(Rule, string)>();
        foreach ((RuleGroup group, List<RuleState> rules) in groups)
        {
            foreach (RuleState state in rules)
            {
                if (Evaluate(state, group, time) is { } error)
                {
                    errors.Add((state.Rule, error));
                }
            }
        }
        return errors;
    }

    private string? Evaluate(RuleState state, RuleGroup group, long time)
    {
        long queryTime = time - (group.QueryOffset?.Milliseconds ?? 0);
        (IReadOnlyList<ResultSeries> result, string? error) = Query(state.Rule.Expr!, queryTime);
        if (error is not null)
        {
            return error;
        }
        List<(Labels Labels, SampleValue Value)>? samples = state.Rule.IsAlert
            ? Alert(state, result, time, queryTime, group.Limit, out error)
            : Record(state, result, group.Limit, out error);
        if (samples is null)
        {
            return error;
        }
        var given = new HashSet<Labels>();
        foreach ((Labels labels, SampleValue value) in samples)
        {
            switch (store.Append(labels, queryTime, value))
            {
                case AppendResult.Added:
                    given.Add(labels);
                    break;
                case AppendResult.Duplicate:
                    error = $"duplicate sample for timestamp: {labels}";
                    break;
                default:
                    error = $"out of order sample: {labels}";
                    break;
            }
        }
        foreach (Labels gone in state.Given.Where(labels => !given.Contains(labels)))
        {
            // Another rule may give the same series; then the marker is refused, rightly.
            _ = store.Append(gone, queryTime, StaleMarker.Value);
        }
        state.Given = given;
        return error;
    }

    /// <summary>The value of a rule's or template's query: a vector, or a scalar as a vector.</summary>
    private (IReadOnlyList<ResultSeries> Series, string? Error) Query(Expr expr, long time)
    {
        if (expr.Type is not (PromType.Vector or PromType.Scalar))
        {
            return ([], "rule result is not a vector or scalar");
        }
        QueryResult result = QueryEngine.Instant(expr, store, time, options);
        return (result.Series, result.Error);
    }

    private static List<(Labels, SampleValue)>? Record(RuleState state, IReadOnlyList<ResultSeries> result, long limit, out string? error)
    {
        error = null;
        var samples = new List<(Labels, SampleValue)>(result.Count);
        var seen = new HashSet<Labels>();
        foreach (ResultSeries series in result)
        {
            Labels labels = series.Labels.With(Labels.MetricName, state.Rule.Record);
            labels = state.Labels.Aggregate(labels, (all, label) => all.With(label.Name, label.Value));
            if (!seen.Add(labels))
            {
                error = "vector contains metrics with the same labelset after applying rule labels";
                return null;
            }
            samples.Add((labels, series.Points[0].Value));
        }
        if (limit > 0 && samples.Count > limit)
        {
            error = $"exceeded limit of {limit} with {samples.Count} series";
            return null;
        }
        return samples;
    }

    private List<(Labels, SampleValue)>? Alert(RuleState state, IReadOnlyList<ResultSeries> result, long time, long queryTime, long limit, out string? error)
    {
        error = null;
        var current = new Dictionary<Labels, ActiveAlert>();
        foreach (ResultSeries series in result)
        {
            ActiveAlert alert = Instance(state, series, time);
            if (!current.TryAdd(alert.Labels, alert))
            {
                error = "vector contains metrics with the same labelset after applying alert labels";
                return null;
            }
        }
        foreach ((Labels labels, ActiveAlert alert) in current)
        {
            if (state.Active.TryGetValue(labels, out ActiveAlert? known) && known.State != AlertState.Inactive)
            {
                known.Annotations = alert.Annotations;
            }
            else
            {
                state.Active[labels] = alert;
            }
        }
        var samples = new List<(Labels, SampleValue)>();
        int count = 0;
        foreach (ActiveAlert alert in state.Active.Values.ToList())
        {
            if (!Advance(state, alert, current.ContainsKey(alert.Labels), time))
            {
                continue;
            }
            count++;
            // A label whose template gave nothing is missing from the alert, but these series have it as it was written.
            Labels labels = alert.Labels.Aggregate(Labels.From(state.Labels), (all, label) => all.With(label.Name, label.Value));
            samples.Add((labels.With(Labels.MetricName, "ALERTS").With("alertstate", alert.State == AlertState.Firing ? "firing" : "pending"), 1.0));
            samples.Add((labels.With(Labels.MetricName, "ALERTS_FOR_STATE"), Math.Floor(alert.ActiveAt / 1000.0)));
        }
        if (limit > 0 && count > limit)
        {
            state.Active.Clear();
            error = $"exceeded limit of {limit} with {count} alerts";
            return null;
        }
        return samples;
    }

    /// <summary>Moves one alert on; false when it is not active any more.</summary>
    private static bool Advance(RuleState state, ActiveAlert alert, bool isPresent, long time)
    {
        if (isPresent)
        {
            alert.KeepFiringSince = null;
        }
        else
        {
            bool keeps = false;
            if (alert.State == AlertState.Firing && state.KeepFiringForMs > 0)
            {
                alert.KeepFiringSince ??= time;
                keeps = time - alert.KeepFiringSince < state.KeepFiringForMs;
            }
            if (alert.State == AlertState.Pending || (alert.ResolvedAt is { } resolved && time - resolved > ResolvedRetentionMs))
            {
                state.Active.Remove(alert.Labels);
            }
            if (!keeps)
            {
                alert.ResolvedAt = alert.State != AlertState.Inactive ? time : alert.ResolvedAt;
                alert.State = AlertState.Inactive;
                return false;
            }
        }
        if (alert.State == AlertState.Pending && time - alert.ActiveAt >= state.ForMs)
        {
            alert.State = AlertState.Firing;
        }
        return true;
    }

    private ActiveAlert Instance(RuleState state, ResultSeries series, long time)
    {
        SampleValue value = series.Points[0].Value;
        var data = new TemplateData
        {
            Labels = series.Labels.ToDictionary(label => label.Name, label => label.Value),
            ExternalLabels = externalLabels,
            ExternalUrl = externalUrl,
            Value = value.Histogram is { } histogram ? histogram : value.Float,
            Query = text => TemplateQuery(text, time),
        };
        Labels labels = series.Labels.WithoutName();
        foreach ((string name, Template? template, string text) in state.LabelTemplates)
        {
            labels = labels.With(name, Expand(template, text, data));
        }
        return new ActiveAlert(labels.With("alertname", state.Rule.Alert), time)
        {
            Annotations = state.AnnotationTemplates.ToImmutableSortedDictionary(
                entry => entry.Name, entry => Expand(entry.Template, entry.Text, data), StringComparer.Ordinal),
        };
    }

    private static string Expand(Template? template, string text, TemplateData data)
    {
        if (template is null)
        {
            return text;
        }
        try
        {
            return TemplateExecution.Run(template, data);
        }
        catch (TemplateExecutionException error)
        {
            return $"<error expanding template: error executing template: {error.Message}>";
        }
    }

    private IReadOnlyList<TemplateSample> TemplateQuery(string text, long time)
    {
        ParseResult parsed = PromQLParser.Parse(text, parserOptions);
        if (parsed.Expr is not { } expr)
        {
            throw new TemplateExecutionException($"error calling query: {parsed.Diagnostics[0].Message}");
        }
        (IReadOnlyList<ResultSeries> series, string? error) = Query(expr, time);
        return error is not null ? throw new TemplateExecutionException($"error calling query: {error}") : [.. series.Select(one => new TemplateSample(
            one.Labels.ToDictionary(label => label.Name, label => label.Value),
            one.Points[0].Value.Histogram is { } histogram ? histogram : one.Points[0].Value.Float))];
    }
}

/// <summary>A rule and what it remembers between evaluations.</summary>
internal sealed class RuleState
{
    public RuleState(Rule rule, RuleGroup group, PrometheusVersion version)
    {
        Rule = rule;
        ForMs = rule.For?.Milliseconds ?? 0;
        KeepFiringForMs = rule.KeepFiringFor?.Milliseconds ?? 0;
        var own = rule.Labels.Select(label => label.Name).ToHashSet(StringComparer.Ordinal);
        Labels = [.. group.Labels.Where(label => !own.Contains(label.Name)).Concat(rule.Labels).Select(label => new Label(label.Name, label.Value)).OrderBy(label => label.Name, StringComparer.Ordinal)];
        if (rule.IsAlert)
        {
            LabelTemplates = [.. Labels.Select(label => Prepare(label.Name, label.Value, version))];
            AnnotationTemplates = [.. rule.Annotations.Select(annotation => Prepare(annotation.Name, annotation.Value, version))];
        }
    }

    public Rule Rule { get; }

    public long ForMs { get; }

    public long KeepFiringForMs { get; }

    /// <summary>The group's labels and the rule's, which win.</summary>
    public ImmutableArray<Label> Labels { get; }

    public ImmutableArray<(string Name, Template? Template, string Text)> LabelTemplates { get; } = [];

    public ImmutableArray<(string Name, Template? Template, string Text)> AnnotationTemplates { get; } = [];

    public Dictionary<Labels, ActiveAlert> Active { get; } = [];

    /// <summary>The series of the last evaluation.</summary>
    public HashSet<Labels> Given { get; set; } = [];

    private static (string, Template?, string) Prepare(string name, string text, PrometheusVersion version) =>
        (name, text.Contains("{{", StringComparison.Ordinal) ? TemplateParser.Parse(text, version).Template : null, text);
}
