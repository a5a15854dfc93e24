using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>group_left copies a label that the other side does not have.</summary>
internal sealed class DeadGroupLabel() : LintRule("promql/dead-group-label", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from binary in rule.Binaries
        where binary.Matching.Card is MatchCardinality.ManyToOne or MatchCardinality.OneToMany
        let one = rule.LabelsOf(binary.Matching.Card == MatchCardinality.ManyToOne ? binary.Right : binary.Left)
        from label in binary.Matching.Include
        where !one.CanHave(label)
        select At(rule, binary.OpSpan, $"the label {label} cannot be copied: the \"one\" side does not have it");
}
