using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Tests.Syntax;

public sealed class PromQLCheckTests
{
    [Theory]
    [InlineData("\"rate(foo[5m])\"", """{"ok":true,"type":"vector","errors":[]}""")]
    [InlineData("\"1 +\\n \"", """{"ok":false,"type":null,"errors":[{"line":2,"column":2,"message":"unexpected end of input"}]}""")]
    [InlineData("rate(foo)", """{"ok":false,"type":null,"errors":[{"line":1,"column":1,"message":"the line is not a JSON string"}]}""")]
    [InlineData("\"\\ud800\"", """{"ok":false,"type":null,"errors":[{"line":1,"column":1,"message":"the line is not a JSON string"}]}""")]
    [InlineData("", """{"ok":false,"type":null,"errors":[{"line":1,"column":1,"message":"the line is not a JSON string"}]}""")]
    public void Check_answers_with_the_type_or_the_mistakes(string line, string answer) =>
        Assert.Equal(answer, PromQLCheck.CheckLine(line, ParserOptions.Default));

    [Fact]
    public void Format_answers_with_the_text() =>
        Assert.Equal("""{"ok":true,"formatted":"sum by (a) (foo)","errors":[]}""", PromQLCheck.FormatLine("\"sum(foo)by(a)\"", ParserOptions.Default));
}
