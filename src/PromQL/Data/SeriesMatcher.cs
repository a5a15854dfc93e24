using System.Collections.Concurrent;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Data;

/// <summary>A selector's matchers, ready to be asked about label sets.</summary>
internal sealed class SeriesMatcher
{
    // Rule tests ask the same selectors at thousands of steps, and compiling a pattern is the dear part.
    private static readonly ConcurrentDictionary<(string Pattern, bool DotMatchesNewline), GoRegex> Compiled = [];

    private readonly (string Label, Func<string, bool> Accepts)[] tests;

    private SeriesMatcher(string? name, (string, Func<string, bool>)[] tests)
    {
        Name = name;
        this.tests = tests;
    }

    /// <summary>The metric name, when the selector asks for exactly one.</summary>
    public string? Name { get; }

    public static SeriesMatcher For(VectorSelector selector, PrometheusVersion version)
    {
        string? name = selector.MetricName;
        var tests = selector.Matchers
            .Where(matcher => name is null || matcher is not { Name: Labels.MetricName, Op: MatchOp.Equal } || matcher.Value != name)
            .Select(matcher => (matcher.Name, Test(matcher, version)));
        return new SeriesMatcher(name, [.. tests]);
    }

    public static SeriesMatcher For(IEnumerable<(string Label, Func<string, bool> Accepts)> tests) => new(null, [.. tests]);

    public bool Matches(Labels labels)
    {
        foreach ((string label, Func<string, bool> accepts) in tests)
        {
            if (!accepts(labels[label]))
            {
                return false;
            }
        }
        return true;
    }

    public static Func<string, bool> Test(LabelMatcher matcher, PrometheusVersion version)
    {
        string wanted = matcher.Value;
        switch (matcher.Op)
        {
            case MatchOp.Equal:
                return value => value == wanted;
            case MatchOp.NotEqual:
                return value => value != wanted;
            default:
                GoRegex regex = Anchored(wanted, version);
                return matcher.Op == MatchOp.Regex ? regex.IsMatch : value => !regex.IsMatch(value);
        }
    }

    /// <summary>The pattern anchored at both ends. From 3.0 on its dot matches a newline, too.</summary>
    public static GoRegex Anchored(string pattern, PrometheusVersion version) =>
        Compiled.GetOrAdd((pattern, version >= PrometheusVersion.V30), static key =>
            GoRegex.Compile(key.DotMatchesNewline ? $"^(?s:{key.Pattern})$" : $"^(?:{key.Pattern})$"));
}
