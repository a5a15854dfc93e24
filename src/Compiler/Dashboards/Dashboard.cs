// Dashboards as code. Read in this order:
//   Dashboard.cs         what a dashboard is: rows of panels, each a question with a unit, thresholds and queries
//   PanelScope.cs        confines every selector of a query to the chosen jobs and instances, on the syntax tree
//   GrafanaJson.cs       the classic Grafana JSON of a dashboard (schema 39), laid out on Grafana's 24 columns
//   DashboardLibrary.cs  all dashboards, in an explicit list, and which agents call for which
//   Dashboards/*.cs      one file per family of dashboards
// Guarantee: every query parses, uses only metrics of the catalogue, and is deterministic text; tests hold it to that.
namespace OptiInfra.Compiler.Dashboards;

/// <summary>A dashboard: what people look at to answer one family of questions.</summary>
/// <param name="Uid">Stable identity in Grafana, 8 to 40 characters; links and bookmarks depend on it.</param>
/// <param name="Title">Shown in lists; <c>family / subject</c>.</param>
/// <param name="Description">What it answers, in a sentence.</param>
/// <param name="Rows">Read from top to bottom: state first, then trends, then details.</param>
public sealed record Dashboard(string Uid, string Title, string Description, params Row[] Rows)
{
    /// <summary>The metric whose <c>job</c> values fill the job variable: it says who this dashboard is about.</summary>
    public string Subject { get; init; } = "up";

    public IReadOnlyList<string> Tags { get; init; } = ["optiinfra"];

    /// <summary>How far back it looks when opened.</summary>
    public string From { get; init; } = "now-6h";

    public IEnumerable<Panel> Panels => Rows.SelectMany(row => row.Panels);
}

/// <summary>A titled row of panels; its panels share the 24 columns by their weights.</summary>
public sealed record Row(string Title, params Panel[] Panels);

public enum PanelType
{
    Stat,
    TimeSeries,
    Gauge,
    BarChart,
    Table,
    StateTimeline,
    AlertList,
}

/// <summary>One question: title, what the answer means, its unit, and the queries that answer it.</summary>
public sealed record Panel(PanelType Type, string Title, string Description, string Unit, params PanelQuery[] Queries)
{
    /// <summary>Colours by value, lowest first; the first has no lower bound.</summary>
    public IReadOnlyList<Threshold> Thresholds { get; init; } = [];

    /// <summary>Columns it takes of 24; 0 shares what is left evenly.</summary>
    public int Width { get; init; }

    public double? Min { get; init; }

    public double? Max { get; init; }

    public int? Decimals { get; init; }

    /// <summary>Series on top of each other: for parts of a whole.</summary>
    public bool Stacked { get; init; }

    public static Panel Stat(string title, string description, string unit, string expr, params Threshold[] thresholds) =>
        new(PanelType.Stat, title, description, unit, new PanelQuery(expr)) { Thresholds = thresholds };

    public static Panel Gauge(string title, string description, string unit, double max, string expr, params Threshold[] thresholds) =>
        new(PanelType.Gauge, title, description, unit, new PanelQuery(expr)) { Thresholds = thresholds, Min = 0, Max = max };

    public static Panel Lines(string title, string description, string unit, params PanelQuery[] queries) =>
        new(PanelType.TimeSeries, title, description, unit, queries);

    public static Panel Bars(string title, string description, string unit, params PanelQuery[] queries) =>
        new(PanelType.BarChart, title, description, unit, queries);
}

/// <summary>A query and how its series are named; empty shows the whole label set.</summary>
/// <param name="Expr">PromQL with <c>$__rate_interval</c> where the range should follow the resolution.</param>
/// <param name="Legend">Grafana's legend format.</param>
public sealed record PanelQuery(string Expr, string Legend = "")
{
    /// <summary>Whether the query is about targets and can be confined to jobs and instances; recording rules that aggregated these away cannot.</summary>
    public bool Scoped { get; init; } = true;

    public static PanelQuery Unscoped(string expr, string legend = "") => new(expr, legend) { Scoped = false };
}

/// <summary>From this value on, this colour; without a value it is the base colour.</summary>
public sealed record Threshold(string Color, double? From = null)
{
    public static Threshold Green(double? from = null) => new("green", from);

    public static Threshold Yellow(double? from = null) => new("yellow", from);

    public static Threshold Red(double? from = null) => new("red", from);
}

/// <summary>Grafana's names of the units we use.</summary>
internal static class Unit
{
    public const string None = "short";
    public const string Percent = "percentunit";
    public const string Seconds = "s";
    public const string Bytes = "bytes";
    public const string Dollars = "currencyUSD";
    public const string PerSecond = "ops";
    public const string RequestsPerSecond = "reqps";
    public const string Celsius = "celsius";
    public const string Watts = "watt";
    public const string YesNo = "bool_yes_no";
}
