using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A pattern without special characters, or anchors that are there anyway, only costs time and reading.</summary>
internal sealed class NeedlessRegex() : LintRule("promql/needless-regex", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from selector in rule.Selectors
        from matcher in selector.Matchers
        where matcher.Op is MatchOp.Regex or MatchOp.NotRegex
        let pattern = matcher.Value
        let message = pattern.Length > 0 && pattern.AsSpan().IndexOfAny(Special) < 0 ? $"\"{pattern}\" is no pattern; compare with {(matcher.Op == MatchOp.Regex ? "=" : "!=")}"
            : pattern.StartsWith('^') || (pattern.EndsWith('$') && !pattern.EndsWith("\\$", StringComparison.Ordinal)) ? $"\"{pattern}\": patterns are anchored at both ends already" : null
        where message is not null
        select At(rule, matcher.Span, message) with { Fix = Plain(rule, matcher) };

    /// <summary>The matcher without needless anchors and, when nothing special is left, as a comparison.</summary>
    private TextEdit? Plain(RuleUnderTest rule, LabelMatcher matcher)
    {
        string pattern = matcher.Value.TrimStart('^').TrimEnd('$');
        // In double quotes, or with quotes and escapes of its own, the text in the file is not the text of the expression.
        if (pattern.Length == 0 || pattern.AsSpan().IndexOfAny(Special) >= 0 || pattern.AsSpan().ContainsAny('"', '\'', '`')
            || rule.Rule.ExprNode is not { Style: not YamlStyle.DoubleQuoted })
        {
            return null;
        }
        Diagnostic place = At(rule, matcher.Span, "");
        return new TextEdit(place.Start, place.End, $"{matcher.Name}{(matcher.Op == MatchOp.Regex ? "=" : "!=")}\"{pattern}\"");
    }

    private static readonly System.Buffers.SearchValues<char> Special = System.Buffers.SearchValues.Create(@"\.+*?()|[]{}^$");
}
