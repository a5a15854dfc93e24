using System.Collections.Immutable;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Rules;

/// <summary>One recording or alerting rule as written.</summary>
public sealed record Rule
{
    public required YamlMapping Node { get; init; }

    /// <summary>The group it stands in, by name and place in the file.</summary>
    public required string Group { get; init; }

    /// <summary>The metric that it records, or "".</summary>
    public string Record { get; init; } = "";

    /// <summary>The name of the alert, or "".</summary>
    public string Alert { get; init; } = "";

    public string Name => Alert.Length > 0 ? Alert : Record;

    public bool IsAlert => Alert.Length > 0;

    public string ExprText { get; init; } = "";

    public YamlScalar? ExprNode { get; init; }

    /// <summary>Null when the text is no valid expression.</summary>
    public Expr? Expr { get; init; }

    public PromDuration? For { get; init; }

    public PromDuration? KeepFiringFor { get; init; }

    public ImmutableArray<NamedText> Labels { get; init; } = [];

    public ImmutableArray<NamedText> Annotations { get; init; } = [];

    /// <summary>The node that carries the rule's name, for findings about the rule as a whole.</summary>
    public YamlNode NameNode { get; init; } = null!;
}

public sealed record RuleGroup
{
    public required YamlMapping Node { get; init; }

    public string Name { get; init; } = "";

    public PromDuration? Interval { get; init; }

    public PromDuration? QueryOffset { get; init; }

    public long Limit { get; init; }

    public ImmutableArray<NamedText> Labels { get; init; } = [];

    public ImmutableArray<Rule> Rules { get; init; } = [];
}

/// <summary>
/// A Prometheus rule file, read strictly and with positions. In flow order: <see cref="YamlTree"/> gives the tree, each field is
/// read as Go's decoder reads it, then come Prometheus' own checks: names, expressions, templates. The guarantee: <see cref="IsValid"/>
/// is the verdict of <c>promtool check rules</c> of that release. What could be read is kept even when something else is wrong.
/// </summary>
public sealed class RuleFile
{
    private const int ManyGroups = 16;

    private static readonly string[] GroupFieldsV2 = ["name", "interval", "query_offset", "limit", "rules"];
    private static readonly string[] GroupFieldsV3 = [.. GroupFieldsV2, "labels"];
    private static readonly string[] RuleFields = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

    private readonly ParserOptions options;
    private readonly YamlFields fields;
    private readonly string? source;

    private RuleFile(YamlTree tree, ParserOptions options, string? source)
    {
        Tree = tree;
        this.options = options;
        this.source = source;
        var diagnostics = ImmutableArray.CreateBuilder<Diagnostic>();
        diagnostics.AddRange(tree.Diagnostics);
        fields = new YamlFields(diagnostics, "rule/syntax");
        if (tree.Documents is [{ } root, ..])
        {
            Read(root);
        }
        Diagnostics = source is null ? diagnostics.ToImmutable() : [.. diagnostics.Select(d => d with { Source = source })];
    }

    public YamlTree Tree { get; }

    /// <summary>The release and flags it was read for.</summary>
    public ParserOptions Options => options;

    public ImmutableArray<RuleGroup> Groups { get; private set; } = [];

    public ImmutableArray<Diagnostic> Diagnostics { get; }

    public bool IsValid => !Diagnostics.Any(d => d.IsError);

    public IEnumerable<Rule> Rules => Groups.SelectMany(group => group.Rules);

    /// <summary>The file's name as diagnostics show it.</summary>
    public string? Source => source;

    /// <summary>Reads the text of a rule file. Like Prometheus, it looks at the first YAML document only.</summary>
    public static RuleFile Parse(string text, ParserOptions? options = null, string? source = null) =>
        new(YamlTree.Parse(text, firstOnly: true), options ?? ParserOptions.Default, source);

    /// <summary>Reads groups out of a larger document: <paramref name="groups"/> is the mapping that has the <c>groups</c> field.</summary>
    public static RuleFile Read(YamlTree tree, YamlNode groups, ParserOptions? options = null, string? source = null) =>
        new(tree, groups, options ?? ParserOptions.Default, source);

    private RuleFile(YamlTree tree, YamlNode groups, ParserOptions options, string? source)
    {
        Tree = tree;
        this.options = options;
        this.source = source;
        var diagnostics = ImmutableArray.CreateBuilder<Diagnostic>();
        diagnostics.AddRange(tree.Diagnostics.Where(d => d.Start.Line >= groups.Start.Line && d.Start.Line <= groups.End.Line));
        fields = new YamlFields(diagnostics, "rule/syntax");
        Read(groups);
        Diagnostics = [.. diagnostics.Select(d => d with { Source = source })];
    }

    /// <summary>Where a byte of a rule's expression stands in the file.</summary>
    public TextPosition PositionOf(Rule rule, int byteOffset) => rule.ExprNode is null ? rule.Node.Start : Tree.PositionIn(rule.ExprNode, byteOffset);

    private void Read(YamlNode root)
    {
        if (fields.Mapping(root, "a rule file", "groups") is not { } file)
        {
            return;
        }
        ImmutableArray<YamlNode> nodes = [.. fields.Sequence(file, "groups").Where(node => !IsNothing(node))];
        var read = new (RuleGroup? Group, ImmutableArray<Diagnostic> Diagnostics)[nodes.Length];
        // Groups do not depend on each other; large generated files have hundreds.
        if (nodes.Length >= ManyGroups)
        {
            Parallel.For(0, nodes.Length, i => read[i] = ReadGroup(nodes[i]));
        }
        else
        {
            for (int i = 0; i < nodes.Length; i++)
            {
                read[i] = ReadGroup(nodes[i]);
            }
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach ((RuleGroup? group, ImmutableArray<Diagnostic> found) in read)
        {
            fields.Diagnostics.AddRange(found);
            if (group is not null && !names.Add(group.Name))
            {
                fields.Report(group.Node, $"the group name \"{group.Name}\" is repeated in the same file");
            }
        }
        Groups = [.. read.Select(entry => entry.Group).OfType<RuleGroup>()];
    }

    private (RuleGroup? Group, ImmutableArray<Diagnostic> Diagnostics) ReadGroup(YamlNode node)
    {
        var own = new YamlFields(ImmutableArray.CreateBuilder<Diagnostic>(0), "rule/syntax");
        RuleGroup? group = own.Mapping(node, "a rule group", options.IsV3 ? GroupFieldsV3 : GroupFieldsV2) is { } mapping ? Group(mapping, own) : null;
        if (group is { Name: "" })
        {
            own.Report(group.Node, "the name of a group must not be empty");
        }
        return (group, own.Diagnostics.DrainToImmutable());
    }

    private RuleGroup Group(YamlMapping mapping, YamlFields fields)
    {
        string name = fields.Text(mapping, "name").Value;
        ImmutableArray<NamedText> labels = options.IsV3 ? fields.Texts(mapping, "labels") : [];
        CheckLabelNames(labels, fields);
        var rules = ImmutableArray.CreateBuilder<Rule>();
        foreach (YamlNode node in fields.Sequence(mapping, "rules"))
        {
            if (!IsNothing(node) && fields.Mapping(node, "a rule", RuleFields) is { } rule)
            {
                rules.Add(ReadRule(rule, name, fields));
            }
        }
        return new RuleGroup
        {
            Node = mapping,
            Name = name,
            Interval = fields.Duration(mapping, "interval"),
            QueryOffset = fields.Duration(mapping, "query_offset"),
            Limit = fields.Integer(mapping, "limit"),
            Labels = labels,
            Rules = rules.DrainToImmutable(),
        };
    }

    private Rule ReadRule(YamlMapping node, string group, YamlFields fields)
    {
        (string record, YamlScalar? recordNode) = NodeText(fields, node, "record");
        (string alert, YamlScalar? alertNode) = NodeText(fields, node, "alert");
        (string text, YamlScalar? exprNode) = NodeText(fields, node, "expr");
        var rule = new Rule
        {
            Node = node,
            Group = group,
            Record = record,
            Alert = alert,
            ExprText = text,
            ExprNode = exprNode,
            NameNode = (YamlNode?)alertNode ?? recordNode ?? (YamlNode)node,
            For = fields.Duration(node, "for"),
            KeepFiringFor = fields.Duration(node, "keep_firing_for"),
            Labels = alert.Length > 0 ? Templates(fields, "label", fields.Texts(node, "labels")) : fields.Texts(node, "labels"),
            Annotations = alert.Length > 0 ? Templates(fields, "annotation", fields.Texts(node, "annotations")) : fields.Texts(node, "annotations"),
            Expr = Expression(fields, node, text, exprNode),
        };
        Check(rule, fields);
        return rule;
    }

    /// <summary>Go's decoder drops list items that are nothing.</summary>
    private static bool IsNothing(YamlNode node) => node is YamlScalar { IsNull: true };

    /// <summary>Before 3.0 these three fields were read without regard to types: "alert: null" was an alert of that name.</summary>
    private (string Value, YamlScalar? Node) NodeText(YamlFields fields, YamlMapping rule, string field) =>
        options.IsV3 ? fields.Text(rule, field) : rule.Find(field) is YamlScalar scalar ? (scalar.Value, scalar) : ("", null);

    private Expr? Expression(YamlFields fields, YamlMapping rule, string text, YamlScalar? node)
    {
        if (text.Length == 0 || node is null)
        {
            fields.Report((YamlNode?)node ?? rule, "field \"expr\" must be set in a rule");
            return null;
        }
        ParseResult result = PromQLParser.Parse(text, options);
        foreach (Diagnostic error in result.Diagnostics)
        {
            fields.Diagnostics.Add(error with { Start = InExpression(node, text, error.Start), End = InExpression(node, text, error.End) });
        }
        return result.Expr;
    }

    private TextPosition InExpression(YamlScalar node, string text, TextPosition position)
    {
        int offset = 0;
        for (int line = 1; line < position.Line; line++)
        {
            offset = text.IndexOf('\n', offset) + 1;
        }
        int bytes = System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(0, offset)) + position.Column - 1;
        return Tree.PositionIn(node, bytes);
    }

    private void Check(Rule rule, YamlFields fields)
    {
        if (rule.Record.Length > 0 == rule.Alert.Length > 0)
        {
            fields.Report(rule.NameNode, rule.IsAlert ? "only one of \"record\" and \"alert\" must be set" : "one of \"record\" or \"alert\" must be set");
        }
        if (rule.Record.Length > 0)
        {
            CheckRecording(rule, fields);
        }
        CheckLabelNames(rule.Labels, fields);
        foreach (NamedText annotation in rule.Annotations)
        {
            if (!MetricNames.IsLabelName(annotation.Name, options.Version))
            {
                fields.Report(annotation.NameNode, $"invalid annotation name: {annotation.Name}");
            }
        }
    }

    private void CheckRecording(Rule rule, YamlFields fields)
    {
        string[] misplaced =
        [
            .. rule.Annotations.Length > 0 ? ["annotations"] : (string[])[],
            .. rule.For is { Nanoseconds: not 0 } ? ["for"] : (string[])[],
            .. rule.KeepFiringFor is { Nanoseconds: not 0 } ? ["keep_firing_for"] : (string[])[],
        ];
        foreach (string field in misplaced)
        {
            fields.Report(rule.Node.Find(field)!, $"invalid field \"{field}\" in a recording rule");
        }
        if (!MetricNames.IsMetricName(rule.Record, options.Version))
        {
            fields.Report(rule.NameNode, $"invalid recording rule name: {rule.Record}");
        }
        else if (rule.Record.AsSpan().ContainsAny('{', '}'))
        {
            fields.Report(rule.NameNode, $"braces present in the recording rule name; should it be in expr?: {rule.Record}");
        }
    }

    private void CheckLabelNames(ImmutableArray<NamedText> labels, YamlFields fields)
    {
        foreach (NamedText label in labels)
        {
            if (!MetricNames.IsLabelName(label.Name, options.Version) || label.Name == LabelMatcher.MetricNameLabel)
            {
                fields.Report(label.NameNode, $"invalid label name: {label.Name}");
            }
        }
    }

    /// <summary>Parses the templates of an alert; a broken one is reported and stays null.</summary>
    private ImmutableArray<NamedText> Templates(YamlFields fields, string kind, ImmutableArray<NamedText> texts)
    {
        if (!texts.Any(text => text.Value.Contains("{{", StringComparison.Ordinal)))
        {
            return texts;
        }
        return [.. texts.Select(text =>
        {
            (Template? template, TemplateError? error) = text.Value.Contains("{{", StringComparison.Ordinal) ? TemplateParser.Parse(text.Value, options.Version) : default;
            if (error is not null)
            {
                int bytes = System.Text.Encoding.UTF8.GetByteCount(text.Value.AsSpan(0, Math.Min(error.Offset, text.Value.Length)));
                TextPosition place = Tree.PositionIn(text.ValueNode, bytes);
                fields.Diagnostics.Add(new Diagnostic("alert/template-syntax", Severity.Error, $"{kind} \"{text.Name}\": {error.Message}") { Start = place, End = place });
            }
            return text with { Template = template };
        })];
    }
}

/// <summary>Which names Prometheus takes: ASCII words before 3.0, any text since.</summary>
public static class MetricNames
{
    public static bool IsLabelName(string name, Types.PrometheusVersion version) =>
        version >= Types.PrometheusVersion.V30 ? name.Length > 0 && !StringSyntax.HasInvalidBytes(name) : IsWord(name, colons: false);

    public static bool IsMetricName(string name, Types.PrometheusVersion version) =>
        version >= Types.PrometheusVersion.V30 ? name.Length > 0 && !StringSyntax.HasInvalidBytes(name) : IsWord(name, colons: true);

    private static bool IsWord(string name, bool colons)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_' && !(colons && c == ':'))
            {
                return false;
            }
        }
        return name.Length > 0 && !char.IsAsciiDigit(name[0]);
    }
}
