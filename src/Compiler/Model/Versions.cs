using OptiInfra.PromQL.Types;

namespace OptiInfra.Compiler.Model;

/// <summary>Releases of Prometheus from which on something may be written.</summary>
internal static class Versions
{
    /// <summary>scrape_config_files.</summary>
    public static readonly PrometheusVersion ScrapeFiles = new(2, 43);

    /// <summary>scrape_classic_histograms.</summary>
    public static readonly PrometheusVersion NativeHistograms = new(2, 45);

    /// <summary>query_offset of groups, global.rule_query_offset.</summary>
    public static readonly PrometheusVersion QueryOffset = new(2, 53);

    /// <summary>UTF-8 names, labels of groups, environment variables in external labels.</summary>
    public static readonly PrometheusVersion Three = new(3, 0);

}
