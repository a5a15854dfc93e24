using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>The two sides of an operator have no labels in common by which they could find each other.</summary>
internal sealed class ImpossibleMatch() : LintRule("promql/impossible-match", Severity.Error)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        foreach (BinaryExpr binary in rule.Binaries.Where(b => b.Left.Type == PromType.Vector && b.Right.Type == PromType.Vector && b.Op != BinaryOp.Or))
        {
            LabelSet left = rule.LabelsOf(binary.Left), right = rule.LabelsOf(binary.Right);
            if (binary.Matching.On)
            {
                foreach (string label in binary.Matching.Labels.Where(label => left.CanHave(label) != right.CanHave(label)))
                {
                    yield return At(rule, binary.OpSpan, $"on({label}): the {(left.CanHave(label) ? "right" : "left")} side has no label {label}, so nothing matches");
                }
                continue;
            }
            string[] compared(LabelSet side, LabelSet other) => side.IsOpen || other.IsOpen ? [] : [.. side.Names.Except(binary.Matching.Labels).Where(label => !other.CanHave(label)).Order(StringComparer.Ordinal)];
            string[] extra = [.. compared(left, right), .. compared(right, left)];
            if (extra.Length > 0)
            {
                yield return At(rule, binary.OpSpan, $"the sides have different labels ({string.Join(", ", extra)} on one side only), so nothing matches", "say which labels to match by with on(...) or ignoring(...)");
            }
            else if (!left.IsOpen && left.Names.IsEmpty && right.IsOpen && binary.Op != BinaryOp.Unless && AlwaysLabelled(binary.Right)
                || !right.IsOpen && right.Names.IsEmpty && left.IsOpen && binary.Op != BinaryOp.Or && AlwaysLabelled(binary.Left))
            {
                yield return At(rule, binary.OpSpan, "one side has no labels at all and the other has, so nothing matches", "add on(), or use scalar()");
            }
        }
    }

    /// <summary>Scraped series have job and instance, so a plain selector or a rate of one certainly has labels.</summary>
    private static bool AlwaysLabelled(Expr expr) => expr.Unparenthesized() is VectorSelector or Call { Args: [MatrixSelector, ..] };
}
