using System.Text.Json.Nodes;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>
/// Writes a dashboard as Grafana's classic JSON: variables for data source, job and instance, rows of panels on 24 columns.
/// Queries are confined to the chosen jobs and instances by <see cref="PanelScope"/>.
/// </summary>
internal static class GrafanaJson
{
    private const int SchemaVersion = 39;
    private const int Columns = 24;
    private const string DataSource = "${datasource}";

    public static JsonObject Write(Dashboard dashboard) => new()
    {
        ["uid"] = dashboard.Uid,
        ["title"] = dashboard.Title,
        ["description"] = dashboard.Description,
        ["tags"] = Strings(dashboard.Tags),
        ["schemaVersion"] = SchemaVersion,
        ["version"] = 1,
        ["editable"] = false,
        ["graphTooltip"] = 1,
        ["refresh"] = "30s",
        ["time"] = new JsonObject { ["from"] = dashboard.From, ["to"] = "now" },
        ["timezone"] = "browser",
        ["annotations"] = new JsonObject { ["list"] = new JsonArray() },
        ["links"] = new JsonArray(),
        ["templating"] = new JsonObject { ["list"] = Variables(dashboard) },
        ["panels"] = Panels(dashboard),
    };

    private static JsonArray Variables(Dashboard dashboard) =>
    [
        new JsonObject
        {
            ["name"] = "datasource",
            ["label"] = "Data source",
            ["type"] = "datasource",
            ["query"] = "prometheus",
            ["hide"] = 0,
            ["includeAll"] = false,
            ["multi"] = false,
            ["refresh"] = 1,
        },
        Query("job", "Agent", $"label_values({dashboard.Subject}, job)"),
        Query("instance", "Instance", $"label_values({dashboard.Subject}{{job=~\"$job\"}}, instance)"),
    ];

    private static JsonObject Query(string name, string label, string query) => new()
    {
        ["name"] = name,
        ["label"] = label,
        ["type"] = "query",
        ["datasource"] = Source(),
        ["query"] = query,
        ["definition"] = query,
        ["allValue"] = ".+",
        ["includeAll"] = true,
        ["multi"] = true,
        ["current"] = new JsonObject { ["text"] = "All", ["value"] = "$__all", ["selected"] = true },
        ["refresh"] = 2,
        ["sort"] = 1,
        ["hide"] = 0,
    };

    private static JsonArray Panels(Dashboard dashboard)
    {
        JsonArray panels = [];
        int id = 1;
        int y = 0;
        foreach (Row row in dashboard.Rows)
        {
            panels.Add((JsonNode)new JsonObject
            {
                ["id"] = id++,
                ["type"] = "row",
                ["title"] = row.Title,
                ["collapsed"] = false,
                ["gridPos"] = Place(0, y, Columns, 1),
                ["panels"] = new JsonArray(),
            });
            y++;
            int height = row.Panels.All(panel => panel.Type is PanelType.Stat or PanelType.Gauge) ? 5 : 8;
            int x = 0;
            foreach ((Panel panel, int width) in row.Panels.Zip(Widths(row)))
            {
                JsonObject json = PanelJson(panel, id++);
                json["gridPos"] = Place(x, y, width, height);
                panels.Add((JsonNode)json);
                x += width;
            }

            y += height;
        }

        return panels;
    }

    /// <summary>Columns of each panel: what it asks for, the rest shared evenly, the last taking the remainder.</summary>
    private static int[] Widths(Row row)
    {
        int fixedColumns = row.Panels.Sum(panel => panel.Width);
        int open = row.Panels.Count(panel => panel.Width == 0);
        int share = open == 0 ? 0 : (Columns - fixedColumns) / open;
        int[] widths = [.. row.Panels.Select(panel => panel.Width == 0 ? share : panel.Width)];
        widths[^1] += Columns - widths.Sum();
        return widths;
    }

    private static JsonObject Place(int x, int y, int width, int height) => new() { ["x"] = x, ["y"] = y, ["w"] = width, ["h"] = height };

    private static JsonObject PanelJson(Panel panel, int id)
    {
        JsonArray targets = [];
        foreach ((PanelQuery query, int index) in panel.Queries.Select((query, index) => (query, index)))
        {
            targets.Add((JsonNode)Target(panel, query, index));
        }

        return new JsonObject
        {
            ["id"] = id,
            ["type"] = TypeName(panel.Type),
            ["title"] = panel.Title,
            ["description"] = panel.Description,
            ["datasource"] = Source(),
            ["targets"] = targets,
            ["fieldConfig"] = FieldConfig(panel),
            ["options"] = Options(panel.Type),
        };
    }

    private static JsonObject Target(Panel panel, PanelQuery query, int index)
    {
        bool instant = panel.Type is PanelType.Stat or PanelType.Gauge or PanelType.BarChart or PanelType.Table;
        return new JsonObject
        {
            ["refId"] = ((char)('A' + index)).ToString(),
            ["datasource"] = Source(),
            ["expr"] = PanelScope.Confine(query),
            ["legendFormat"] = query.Legend.Length == 0 ? "__auto" : query.Legend,
            ["instant"] = instant,
            ["range"] = !instant,
            ["format"] = panel.Type == PanelType.Table ? "table" : "time_series",
        };
    }

    private static JsonObject FieldConfig(Panel panel)
    {
        JsonObject defaults = new() { ["unit"] = panel.Unit };
        if (panel.Thresholds.Count > 0)
        {
            JsonArray steps = [];
            foreach (Threshold threshold in panel.Thresholds)
            {
                steps.Add((JsonNode)new JsonObject { ["color"] = threshold.Color, ["value"] = threshold.From });
            }

            defaults["thresholds"] = new JsonObject { ["mode"] = "absolute", ["steps"] = steps };
            defaults["color"] = new JsonObject { ["mode"] = panel.Type == PanelType.TimeSeries ? "palette-classic" : "thresholds" };
        }

        AddIfKnown(defaults, "min", panel.Min);
        AddIfKnown(defaults, "max", panel.Max);
        AddIfKnown(defaults, "decimals", panel.Decimals);
        if (panel.Type == PanelType.TimeSeries)
        {
            defaults["custom"] = new JsonObject
            {
                ["lineWidth"] = 1,
                ["fillOpacity"] = panel.Stacked ? 30 : 5,
                ["showPoints"] = "never",
                ["spanNulls"] = false,
                ["stacking"] = new JsonObject { ["mode"] = panel.Stacked ? "normal" : "none", ["group"] = "A" },
            };
        }

        return new JsonObject { ["defaults"] = defaults, ["overrides"] = new JsonArray() };
    }

    private static void AddIfKnown(JsonObject target, string name, double? value)
    {
        if (value is { } known)
        {
            target[name] = known;
        }
    }

    private static JsonObject Options(PanelType type) => type switch
    {
        PanelType.TimeSeries => new JsonObject
        {
            ["legend"] = new JsonObject { ["displayMode"] = "list", ["placement"] = "bottom", ["showLegend"] = true },
            ["tooltip"] = new JsonObject { ["mode"] = "multi", ["sort"] = "desc" },
        },
        PanelType.AlertList => new JsonObject
        {
            ["maxItems"] = 50,
            ["sortOrder"] = 3,
            ["alertInstanceLabelFilter"] = "",
            ["stateFilter"] = new JsonObject { ["firing"] = true, ["pending"] = true },
        },
        PanelType.BarChart => new JsonObject
        {
            ["orientation"] = "horizontal",
            ["displayMode"] = "gradient",
            ["reduceOptions"] = LastValue(),
        },
        PanelType.Stat or PanelType.Gauge => new JsonObject { ["reduceOptions"] = LastValue(), ["textMode"] = "auto" },
        PanelType.StateTimeline => new JsonObject { ["showValue"] = "never", ["mergeValues"] = true },
        _ => [],
    };

    private static JsonObject LastValue() => new() { ["calcs"] = Strings(["lastNotNull"]), ["fields"] = "", ["values"] = false };

    private static string TypeName(PanelType type) => type switch
    {
        PanelType.Stat => "stat",
        PanelType.TimeSeries => "timeseries",
        PanelType.Gauge => "gauge",
        PanelType.BarChart => "bargauge",
        PanelType.Table => "table",
        PanelType.StateTimeline => "state-timeline",
        PanelType.AlertList => "alertlist",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    private static JsonObject Source() => new() { ["type"] = "prometheus", ["uid"] = DataSource };

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode)value)]);
}
