using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Tests.Data;

public sealed class GoRegexTests
{
    [Theory]
    [InlineData("a$", "a\n", false)]
    [InlineData(@"^\d+$", "٣", false)]
    [InlineData(@"^\w$", "é", false)]
    [InlineData(@"^\Qa.b\E$", "a.b", true)]
    [InlineData(@"^\Qa.b\E$", "axb", false)]
    [InlineData("^[[:alpha:]_]+$", "ab_", true)]
    [InlineData("^[a-z-[]+$", "a-[", true)]
    [InlineData("^(?P<x>a)b$", "ab", true)]
    [InlineData("^(?i:ab)c$", "ABc", true)]
    [InlineData(@"^\x{61}\pL$", "ab", true)]
    [InlineData("^[]a]+$", "]a", true)]
    public void Patterns_mean_what_they_mean_in_Go(string pattern, string text, bool matches) =>
        Assert.Equal(matches, GoRegex.Compile(pattern).IsMatch(text));

    [Theory]
    [InlineData("$1-$2", "a-b")]
    [InlineData("${1}x", "ax")]
    [InlineData("$1x", "")]
    [InlineData("${name}$$", "b$")]
    [InlineData("$", "$")]
    [InlineData("$9", "")]
    [InlineData("${", "${")]
    public void Replacements_expand_as_in_Go(string template, string expected) =>
        Assert.Equal(expected, GoRegex.Compile("(a)(?P<name>b)").ExpandFirst("xab", template));
}
