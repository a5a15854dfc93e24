using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Tests.Syntax;

public sealed class RegexSyntaxTests
{
    [Theory]
    [InlineData("a**", "invalid nested repetition operator: `**`")]
    [InlineData("*a", "missing argument to repetition operator: `*`")]
    [InlineData("a|*", "missing argument to repetition operator: `*`")]
    [InlineData("(a", "missing closing ): `(a`")]
    [InlineData("a)", "unexpected ): `a)`")]
    [InlineData("[a", "missing closing ]: `[a`")]
    [InlineData("[z-a]", "invalid character class range: `z-a`")]
    [InlineData("[[:foo:]]", "invalid character class range: `[:foo:]`")]
    [InlineData(@"\1", @"invalid escape sequence: `\1`")]
    [InlineData(@"\y", @"invalid escape sequence: `\y`")]
    [InlineData(@"a\", "trailing backslash at end of expression: ``")]
    [InlineData(@"\p{Foo}", @"invalid character class range: `\p{Foo}`")]
    [InlineData("(?=a)", "invalid or unsupported Perl syntax: `(?=`")]
    [InlineData("(?P<1 >a)", "invalid named capture: `(?P<1 >`")]
    [InlineData("a{1001}", "invalid repeat count: `{1001}`")]
    [InlineData("(a{100}){100}", "invalid repeat count: `{100}`")]
    [InlineData("a{2,1}", "invalid repeat count: `{2,1}`")]
    public void What_RE2_refuses_is_refused(string pattern, string message) =>
        Assert.Equal("error parsing regexp: " + message, RegexSyntax.Check(pattern).Error);

    [Theory]
    [InlineData("", true)]
    [InlineData("a|", true)]
    [InlineData("a", false)]
    [InlineData(".*", true)]
    [InlineData(".+", false)]
    [InlineData("(a|b)?", true)]
    [InlineData("(a*)+", true)]
    [InlineData("^$", true)]
    [InlineData("a{0}", true)]
    [InlineData("a{0,", false)]
    [InlineData("[]a]", false)]
    [InlineData("[^-a]*", true)]
    [InlineData(@"\pL\x{10FFFF}\Qa.b\E*?", false)]
    [InlineData(@"\b", false)]
    [InlineData(@"(?i:x)?(?s-m)(?P<n>[[:^alpha:]\d]*)", true)]
    public void What_RE2_accepts_is_accepted_and_known_to_match_nothing_or_not(string pattern, bool matchesEmpty) =>
        Assert.Equal(new RegexVerdict(null, matchesEmpty), RegexSyntax.Check(pattern));

    [Fact]
    public void Nesting_has_the_same_limit_as_in_Prometheus()
    {
        Assert.Null(RegexSyntax.Check(new string('(', 998) + "a." + new string(')', 998)).Error);
        Assert.NotNull(RegexSyntax.Check(new string('(', 1001) + "a." + new string(')', 1001)).Error);
        Assert.NotNull(RegexSyntax.Check(new string('(', 1_000_000)).Error);
    }
}
