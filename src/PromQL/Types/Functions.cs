using System.Collections.Frozen;
using System.Collections.Immutable;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Types;

/// <summary>
/// A PromQL function: its signature, and in which releases it exists. <see cref="Variadic"/> 0: exactly <see cref="Args"/>;
/// n &gt; 0: the last argument is given 0 to n times; -1: any number of times.
/// </summary>
public sealed record Function(string Name, ImmutableArray<PromType> Args, int Variadic, PromType Returns)
{
    /// <summary>The first release known to have it; functions older than 2.42 carry the default.</summary>
    public PrometheusVersion Since { get; init; }

    /// <summary>The first release that no longer has it.</summary>
    public PrometheusVersion? Removed { get; init; }

    /// <summary>Before this release it needs <c>--enable-feature=promql-experimental-functions</c>.</summary>
    public PrometheusVersion StableSince { get; init; }

    public int MinArgs => Variadic == 0 ? Args.Length : Args.Length - 1;

    /// <summary>The greatest number of arguments, or null when there is no limit.</summary>
    public int? MaxArgs => Variadic < 0 ? null : Variadic == 0 ? Args.Length : Args.Length - 1 + Variadic;

    public bool ExistsIn(PrometheusVersion version) => version >= Since && (Removed is null || version < Removed);

    public bool IsExperimentalIn(PrometheusVersion version) => version < StableSince;
}

/// <summary>The table of every function of Prometheus 2.42 to 3.14, grouped by signature.</summary>
public static class Functions
{
    private static readonly PrometheusVersion Never = new(int.MaxValue, 0);

    private static readonly FrozenDictionary<string, Function> Table = Build().ToFrozenDictionary(f => f.Name, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Function>.AlternateLookup<ReadOnlySpan<char>> BySpan =
        Table.GetAlternateLookup<ReadOnlySpan<char>>();

    public static IEnumerable<Function> All => Table.Values;

    /// <summary>The function of that name in whatever release, or null. Names are case-sensitive.</summary>
    public static Function? Find(ReadOnlySpan<char> name) => BySpan.TryGetValue(name, out Function? function) ? function : null;

    private static IEnumerable<Function> Build()
    {
        const PromType s = PromType.Scalar, v = PromType.Vector, m = PromType.Matrix, t = PromType.String;
        IEnumerable<Function>[] stable =
        [
            Group(v, [v], 0,
                "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_count histogram_sum ln log10 log2 "
                + "rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp"),
            Group(v, [m], 0,
                "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time max_over_time "
                + "min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time"),
            Group(v, [v], 1, "day_of_month day_of_week day_of_year days_in_month hour minute month year"),
            Group(v, [v, s, s], 0, "clamp"),
            Group(v, [v, s], 0, "clamp_max clamp_min"),
            Group(v, [v, s], 1, "round"),
            Group(v, [s, v], 0, "histogram_quantile"),
            Group(v, [s, s, v], 0, "histogram_fraction"),
            Group(v, [s, m], 0, "quantile_over_time"),
            Group(v, [m, s], 0, "predict_linear"),
            Group(v, [v, t, t, t], -1, "label_join"),
            Group(v, [v, t, t, t, t], 0, "label_replace"),
            Group(v, [s], 0, "vector"),
            Group(s, [v], 0, "scalar"),
            Group(s, [], 0, "pi time"),
            Group(v, [v], 0, "histogram_avg histogram_stddev histogram_stdvar").Select(f => f with { Since = new(2, 49) }),
            Group(v, [m, s, s], 0, "holt_winters").Select(f => f with { Removed = PrometheusVersion.V30 }),
        ];
        IEnumerable<Function>[] experimental =
        [
            Experimental(new(2, 49), v, [m], 0, "mad_over_time"),
            Experimental(new(2, 49), v, [v, t], -1, "sort_by_label sort_by_label_desc"),
            Experimental(new(2, 55), v, [v, v], 1, "info"),
            Experimental(PrometheusVersion.V30, v, [m, s, s], 0, "double_exponential_smoothing"),
            Experimental(PrometheusVersion.V35, v, [m], 0, "ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time"),
            Experimental(new(3, 7), v, [m], 0, "ts_of_first_over_time"),
            Experimental(new(3, 7), v, [m], 0, "first_over_time").Select(f => f with { StableSince = PrometheusVersion.V314 }),
            Experimental(new(3, 12), s, [], 0, "end range start step"),
            Experimental(new(3, 12), v, [v, t, s, s], 9, "histogram_quantiles"),
            Experimental(PrometheusVersion.V314, s, [s, s], 0, "max_of min_of"),
            Experimental(PrometheusVersion.V314, v, [v], 0, "start_timestamp"),
        ];
        return stable.Concat(experimental).SelectMany(group => group);
    }

    private static IEnumerable<Function> Group(PromType returns, ImmutableArray<PromType> args, int variadic, string names) =>
        names.Split(' ').Select(name => new Function(name, args, variadic, returns));

    private static IEnumerable<Function> Experimental(
        PrometheusVersion since, PromType returns, ImmutableArray<PromType> args, int variadic, string names) =>
        Group(returns, args, variadic, names).Select(f => f with { Since = since, StableSince = Never });
}
