using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A template shows a label that the expression has aggregated away: the text will have a hole.</summary>
internal sealed class TemplateLabel() : LintRule("alert/template-label", Severity.Error)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (!rule.Rule.IsAlert)
        {
            yield break;
        }
        foreach (NamedText text in rule.Rule.Labels.Concat(rule.Rule.Annotations))
        {
            if (text.Template is not { } template)
            {
                continue;
            }
            // Inside "range query ..." the dot is a sample of another query, so only $labels is certain.
            foreach (VariableOperand variable in template.Operands().OfType<VariableOperand>().Where(v => v is { Name: "$labels", Fields.Length: > 0 }))
            {
                string label = variable.Fields[0];
                if (!rule.Labels.CanHave(label) && !rule.Rule.Labels.Concat(rule.Group.Labels).Any(own => own.Name == label))
                {
                    int bytes = System.Text.Encoding.UTF8.GetByteCount(text.Value.AsSpan(0, variable.Offset));
                    TextPosition start = rule.File.Tree.PositionIn(text.ValueNode, bytes);
                    yield return At(rule.File, text.ValueNode, $"\"{text.Name}\" uses $labels.{label}, but the result of the expression has no label {label}", Hint(rule)) with { Start = start, End = start };
                }
            }
        }
    }

    private static string? Hint(RuleUnderTest rule) => rule.Labels.IsOpen ? null
        : rule.Labels.Names.IsEmpty ? "the result has no labels at all" : $"it has {string.Join(", ", rule.Labels.Names.Order(StringComparer.Ordinal))}";
}
