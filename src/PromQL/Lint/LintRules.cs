using OptiInfra.PromQL.Lint.Rules;

namespace OptiInfra.PromQL.Lint;

/// <summary>Every check, in the order in which the documentation lists them.</summary>
public static class LintRules
{
    public static IReadOnlyList<LintRule> All { get; } =
    [
        new RateOnGauge(),
        new GaugeFunctionOnCounter(),
        new HistogramWithoutLe(),
        new RateOfRecording(),
        new ForBelowInterval(),
        new RedundantFor(),
        new CounterWithoutRate(),
        new ConstantComparison(),
        new AbsentBlindness(),
        new UnboundedRegex(),
        new NeedlessRegex(),
        new FragileTopK(),
        new DivisionWithoutData(),
        new ImpossibleMatch(),
        new AggregateUnknownLabel(),
        new DeadGroupLabel(),
        new AlertWithoutSeverity(),
        new AlertWithoutSummary(),
        new AlertWithoutRunbook(),
        new TemplateLabel(),
        new ValueInLabel(),
        new RawNumberInText(),
        new UnknownExternalLabel(),
        new LabelConflict(),
        new NoCondition(),
        new AbsentFor(),
        new ShortRateRange(),
        new BeyondRetention(),
        new GroupInterval(),
        new DuplicateRule(),
        new RuleDependency(),
        new RecordingOrder(),
        new UnknownMetric(),
        new UnknownLabel(),
        new NameByPattern(),
        new QueryCost(),
        new FragileAggregate(),
        new RecordingName(),
    ];
}
