using System.Globalization;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Tests.Support;
using OptiInfra.PromQL.Types;
using Xunit.Abstractions;

namespace OptiInfra.PromQL.Tests.Differential;

/// <summary>
/// Ours against the real promtool: the same verdict on every expression, and the first mistake at the same place.
/// OPTIINFRA_DIFFERENTIAL raises the number of expressions for a longer hunt.
/// </summary>
public sealed class VerdictTests(ITestOutputHelper output)
{
    private static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("OPTIINFRA_DIFFERENTIAL") ?? "6000", CultureInfo.InvariantCulture);

    private static readonly int Seed = int.Parse(Environment.GetEnvironmentVariable("OPTIINFRA_SEED") ?? "20261121", CultureInfo.InvariantCulture);

    [ToolTheory("prom-2.53/promtool", "prom-3.5/promtool")]
    [InlineData("2.53", false)]
    [InlineData("3.5", false)]
    [InlineData("3.5", true)]
    public void Generated_expressions_get_promtools_verdict(string version, bool experimental)
    {
        var generator = new ExpressionGenerator(new Random(Seed));
        string[] expressions = [.. Enumerable.Range(0, Count).Select(_ => generator.Next())];
        IReadOnlyList<string?> theirs = new Promtool(version).CheckExpressions(
            expressions, experimental ? ["--enable-feature=promql-experimental-functions"] : []);
        Assert.True(PrometheusVersion.TryParse(version, out PrometheusVersion release));
        var options = new ParserOptions { Version = release, ExperimentalFunctions = experimental };

        int differences = 0, otherPlaces = 0, refused = 0;
        for (int i = 0; i < expressions.Length; i++)
        {
            ParseResult ours = PromQLParser.Parse(expressions[i], options);
            refused += theirs[i] is null ? 0 : 1;
            if (ours.IsValid != (theirs[i] is null))
            {
                differences++;
                output.WriteLine($"{StringSyntax.Quote(expressions[i])}\n  promtool: {theirs[i] ?? "accepted"}\n  ours:     {(ours.IsValid ? "accepted" : ours.Diagnostics[0])}");
            }
            else if (!ours.IsValid && !theirs[i]!.StartsWith(ours.Diagnostics[0].Start + ":", StringComparison.Ordinal))
            {
                otherPlaces++;
                if (otherPlaces < 60 && Environment.GetEnvironmentVariable("OPTIINFRA_PLACES") is not null)
                {
                    output.WriteLine($"{StringSyntax.Quote(expressions[i])}\n  promtool: {theirs[i]}\n  place:    {ours.Diagnostics[0].Start} {ours.Diagnostics[0]}");
                }
            }
        }
        output.WriteLine($"{expressions.Length} expressions, {refused} refused, {differences} other verdicts, {otherPlaces} other places");
        Assert.Equal(0, differences);
    }
}
