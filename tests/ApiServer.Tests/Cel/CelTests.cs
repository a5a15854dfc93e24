using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Cel;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Tests.Cel;

public sealed class CelTests
{
    private static readonly Dictionary<string, CelType> NoVariables = [];

    private static object? Run(string source)
    {
        (Expr? tree, CelIssue? issue) = CelParser.Parse(source);
        Assert.Null(issue);
        (IReadOnlyList<CelIssue> issues, _) = CelChecker.Check(tree!, NoVariables);
        Assert.Empty(issues);
        return CelEvaluator.Evaluate(tree!, new Dictionary<string, object?>(), 100_000);
    }

    [Theory]
    [InlineData("1 + 2 * 3 == 7")]
    [InlineData("-3 / 2 == -1 && -3 % 2 == -1")]
    [InlineData("1.5 + 1.5 == 3.0 && 2 < 2.5 && 3u > 2u")]
    [InlineData("'a' + \"b\" == 'ab' && r'\\d' == '\\\\d' && b'abc'.size() == 3")]
    [InlineData("true || 1 / 0 == 0")]
    [InlineData("1 / 0 == 0 || true")]
    [InlineData("!(false && 1 / 0 == 0)")]
    [InlineData("(2 > 1 ? 'x' : 'y') == 'x'")]
    [InlineData("2 in [1, 2] && 'k' in {'k': 1} && !('z' in {'k': 1})")]
    [InlineData("{'a': {'b': 1}}.a.b == 1 && has({'a': 1}.a) && !has({'a': 1}.b)")]
    [InlineData("[1, 2, 3].all(x, x > 0) && [1, 2, 3].exists(x, x == 2) && [1, 2].exists_one(x, x == 1)")]
    [InlineData("[1, 2, 3].map(x, x * 2) == [2, 4, 6] && [1, 2, 3].filter(x, x > 1) == [2, 3] && [1, 2, 3].map(x, x > 1, x + 1) == [3, 4]")]
    [InlineData("{'a': 1, 'b': 2}.all(k, k.size() == 1)")]
    [InlineData("[10, 20].all(i, v, v == (i + 1) * 10)")]
    [InlineData("size('héllo') == 5 && 'abc'.size() == 3 && size([1]) == 1")]
    [InlineData("'hello'.startsWith('he') && 'hello'.endsWith('lo') && 'hello'.contains('ell') && 'a1'.matches('^[a-z][0-9]$')")]
    [InlineData("'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b' && 'aXa'.replace('a', 'b') == 'bXb' && 'aa'.replace('a', 'b', 1) == 'ba'")]
    [InlineData("'AbC'.lowerAscii() == 'abc' && ' x '.trim() == 'x' && 'hello'.substring(1, 3) == 'el' && 'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'abc'.charAt(1) == 'b'")]
    [InlineData("[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && ['a', 'b'].max() == 'b' && [1, 2].isSorted() && [5, 6].indexOf(6) == 1")]
    [InlineData("'abc 123'.find('[0-9]+') == '123' && 'a1b2'.findAll('[0-9]') == ['1', '2'] && 'a1b2'.findAll('[0-9]', 1) == ['1']")]
    [InlineData("url('https://example.com:80/a?k=v').getPort() == '80' && url('https://example.com/a').getHost() == 'example.com' && isURL('/path') && !isURL('nope')")]
    [InlineData("quantity('1Gi').isGreaterThan(quantity('1000Mi')) && isQuantity('500m') && !isQuantity('x') && quantity('1k').asInteger() == 1000")]
    [InlineData("ip('10.0.0.1').family() == 4 && isIP('::1') && !isIP('1.2.3') && cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').prefixLength() == 8 && isCIDR('10.0.0.0/8')")]
    [InlineData("duration('1h30m') > duration('90s') && timestamp('2024-01-01T00:00:00Z') + duration('24h') == timestamp('2024-01-02T00:00:00Z') && timestamp('2024-03-01T10:00:00Z').getMonth() == 2")]
    [InlineData("optional.of(1).hasValue() && optional.none().orValue(5) == 5 && {'a': 1}[?'b'].orValue(2) == 2 && {'a': {'b': 3}}.?a.?b.orValue(0) == 3")]
    [InlineData("string(5) == '5' && int('7') == 7 && double('1.5') == 1.5 && type(1) == int && type('x') == string && dyn(1) == 1")]
    [InlineData("'%s has %d items, %.2f full'.format(['box', 3, 0.5]) == 'box has 3 items, 0.50 full'")]
    [InlineData("sets.contains([1, 2], [2]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 2], [2, 1, 1])")]
    [InlineData("[[1, 2], [3]].all(l, l.exists(x, x > 0))")]
    public void Evaluates_to_true(string source) => Assert.Equal(true, Run(source));

    [Theory]
    [InlineData("1 / 0", "division by zero")]
    [InlineData("[1][5]", "index out of bounds: 5")]
    [InlineData("{'a': 1}.b", "no such key: b")]
    [InlineData("9223372036854775807 + 1", "integer overflow")]
    public void Fails_with(string source, string message) => Assert.Equal(message, Assert.Throws<CelException>(() => Run(source)).Message);

    [Theory]
    [InlineData("self.b == 1", "compilation failed: ERROR: <input>:1:5: type 'string' does not support field selection\n | self.b == 1\n | ....^")]
    [InlineData("self == 1", "compilation failed: ERROR: <input>:1:6: found no matching overload for '_==_' applied to '(string, int)'\n | self == 1\n | .....^")]
    [InlineData("self.nope()", "compilation failed: ERROR: <input>:1:10: undeclared reference to 'nope' (in container '')\n | self.nope()\n | .........^")]
    [InlineData("other == ''", "compilation failed: ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other == ''\n | ^")]
    [InlineData("self.size()", "cel expression must evaluate to a bool")]
    public void Mistakes_are_named_where_they_are(string rule, string error)
    {
        var schema = new StructuralSchema { Type = "string" };
        Assert.Equal(error, CompiledRule.Compile(new CelRule(rule), schema, SchemaTypes.Of(schema)).Error);
    }

    private static StructuralSchema Schema(string json) => SchemaReader.Read(JsonNode.Parse(json)!.AsObject());

    [Fact]
    public void An_unbounded_loop_in_a_loop_is_too_expensive_and_a_bounded_one_is_not()
    {
        const string rule = "\"x-kubernetes-validations\":[{\"rule\":\"self.all(a, self.all(b, a == b || a != b))\"}]";
        Assert.NotEmpty(RuleCompiler.Check(Schema("{\"type\":\"object\",\"properties\":{\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}," + rule + "}}}"), "s"));
        Assert.Empty(RuleCompiler.Check(Schema("{\"type\":\"object\",\"properties\":{\"l\":{\"type\":\"array\",\"maxItems\":20,\"items\":{\"type\":\"string\",\"maxLength\":20}," + rule + "}}}"), "s"));
    }

    [Fact]
    public void A_message_of_unknown_size_is_too_expensive()
    {
        IReadOnlyList<FieldError> errors = RuleCompiler.Check(
            Schema("""{"type":"object","properties":{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1","messageExpression":"'not ' + string(self)"}]}}}"""), "s");
        Assert.Equal(["s.properties[a].x-kubernetes-validations[0].messageExpression", "s.properties[a].x-kubernetes-validations[0].messageExpression", "s"], errors.Select(static error => error.Field));
    }

    [Fact]
    public void Old_values_need_a_correlatable_place()
    {
        FieldError error = Assert.Single(RuleCompiler.Check(
            Schema("""{"type":"object","properties":{"l":{"type":"array","maxItems":3,"items":{"type":"integer","x-kubernetes-validations":[{"rule":"self == oldSelf"}]}}}}"""), "s"));
        Assert.Equal("oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[l]", error.Detail);
    }

    [Theory]
    [InlineData("{\"n\":1,\"t\":\"a\"}", null, "t: Invalid value: \"a\": must start with x")]
    [InlineData("{\"n\":1,\"t\":\"a\"}", "{\"n\":1,\"t\":\"a\"}", "")]
    [InlineData("{\"n\":1}", "{\"n\":2}", "n: Invalid value: 1: cannot shrink from 2")]
    [InlineData("{\"n\":3}", "{\"n\":2}", "")]
    [InlineData("{\"n\":5}", null, "<nil>: Invalid value: failed rule: !has(self.n) || self.n < 5")]
    public void Rules_judge_objects(string value, string? old, string want)
    {
        StructuralSchema schema = Schema("""
            {"type":"object","x-kubernetes-validations":[{"rule":"!has(self.n) || self.n < 5"}],"properties":{
              "n":{"type":"integer","x-kubernetes-validations":[{"rule":"self >= oldSelf","messageExpression":"'cannot shrink from ' + string(oldSelf)"}]},
              "t":{"type":"string","x-kubernetes-validations":[{"rule":"self.startsWith('x')","message":"must start with x"}]}}}
            """);
        IReadOnlyList<FieldError> errors = RuleValidator.Validate(schema, JsonNode.Parse(value)!.AsObject(), old is null ? null : JsonNode.Parse(old)!.AsObject());
        Assert.Equal(want, string.Join('\n', errors.Select(static error => error.Field + ": " + error.Message)));
    }

    [Fact]
    public void Field_names_that_are_no_identifiers_are_escaped()
    {
        StructuralSchema schema = Schema("""
            {"type":"object","properties":{"namespace":{"type":"string"},"a-b.c":{"type":"integer"}},
             "x-kubernetes-validations":[{"rule":"self.__namespace__ == 'x' && self.a__dash__b__dot__c == 1"}]}
            """);
        Assert.DoesNotContain(RuleCompiler.Check(schema, "s"), static error => error.Type == FieldErrorType.Invalid);
        Assert.Empty(RuleValidator.Validate(schema, JsonNode.Parse("""{"namespace":"x","a-b.c":1}""")!.AsObject(), null));
    }

    [Fact]
    public void No_rule_runs_for_long()
    {
        (Expr? tree, _) = CelParser.Parse("[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, true))))");
        CelChecker.Check(tree!, NoVariables);
        Assert.Equal(CelEvaluator.OverBudget, Assert.Throws<CelException>(() => CelEvaluator.Evaluate(tree!, new Dictionary<string, object?>(), 1000)).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 +")]
    [InlineData("(1")]
    [InlineData("'abc")]
    [InlineData("a b")]
    [InlineData("[1,,2]")]
    [InlineData("has(1)")]
    [InlineData("[1].all(1, true)")]
    [InlineData("\u0000")]
    public void Syntax_errors_are_issues(string source) => Assert.NotNull(CelParser.Parse(source).Issue);

    [Fact]
    public void Deep_nesting_is_refused() => Assert.NotNull(CelParser.Parse(new string('(', 5000) + "1" + new string(')', 5000)).Issue);
}
