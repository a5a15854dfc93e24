namespace OptiInfra.Metrics;

/// <summary>Facts about the process as labels of a sample that is always 1: <c>build_info{version="1.2"} 1</c>.</summary>
public sealed class Info : MetricFamily<InfoSeries>
{
    internal Info(MetricRegistry registry, string name, string help, string[] labelNames, MetricOptions options)
        : base(registry, name, help, MetricType.Info, labelNames, options) => Start();

    /// <summary>Replaces the facts: what was there before disappears.</summary>
    public void Set(params ReadOnlySpan<string> values)
    {
        Clear();
        WithLabels(values);
    }

    private protected override Series NewSeries(string[] values, int hash) => new InfoSeries(this, values, hash) { Fragment = FragmentOf(values) };
}

/// <summary>One set of facts.</summary>
public sealed class InfoSeries : Series
{
    internal InfoSeries(MetricFamily family, string[] values, int hash)
        : base(family, values, hash)
    {
    }
}
