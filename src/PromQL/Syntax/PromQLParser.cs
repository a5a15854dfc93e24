using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Syntax;

/// <summary>What the language is: the release, and which of its feature flags are on.</summary>
public sealed record ParserOptions
{
    public static readonly ParserOptions Default = new();

    public PrometheusVersion Version { get; init; } = PrometheusVersion.Default;

    /// <summary><c>--enable-feature=promql-experimental-functions</c>.</summary>
    public bool ExperimentalFunctions { get; init; }

    /// <summary><c>--enable-feature=promql-duration-expr</c>; always on from 3.14.</summary>
    public bool DurationExpressions { get; init; }

    internal bool AllowsDurationExpressions => DurationExpressions || Version >= PrometheusVersion.V314;

    internal bool IsV3 => Version >= PrometheusVersion.V30;
}

/// <summary>The outcome of parsing: an expression when Prometheus would accept it, the mistakes otherwise.</summary>
public sealed record ParseResult(Expr? Expr, ImmutableArray<Diagnostic> Diagnostics)
{
    public bool IsValid => Expr is not null;
}

/// <summary>
/// The front door of PromQL. In flow order: <see cref="Lexer"/> cuts UTF-8 into tokens, this parser builds the
/// <see cref="Expr"/> tree by recursive descent (operator precedence as in Prometheus), <see cref="TypeChecker"/> applies the rules
/// on types, and <see cref="Printer"/> writes trees back. The guarantee: an expression is accepted exactly when promtool of
/// <see cref="ParserOptions.Version"/> accepts it. After a mistake the parser skips to the next comma or closing bracket and goes on,
/// so that one run names them all; types are only checked when the syntax is right. Nothing is evaluated here.
/// </summary>
public static class PromQLParser
{
    /// <summary>How deep parentheses, calls and signs may nest, and how many levels a tree may have.</summary>
    internal const int MaxNesting = 500;

    internal const int MaxHeight = 1_000;

    public static ParseResult Parse(string text, ParserOptions? options = null)
    {
        options ??= ParserOptions.Default;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            ReadOnlySpan<byte> source = buffer.AsSpan(0, Encoding.UTF8.GetBytes(text, buffer));
            var errors = new List<SyntaxError>(0);
            Expr? expr = new ExprParser(source, options, errors).ParseWhole();
            if (errors.Count == 0 && expr is not null)
            {
                TypeChecker.Check(expr, errors);
            }
            return errors.Count == 0 ? new ParseResult(expr, []) : new ParseResult(null, Describe(source, errors));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads one selector, such as <c>up{job="x"}</c>, as the match[] parameter of the API takes it.</summary>
    public static VectorSelector? ParseSelector(string text, ParserOptions? options = null) =>
        Parse(text, options).Expr is VectorSelector { At.IsSet: false, OffsetExpr: null, Offset.Nanoseconds: 0 } selector ? selector : null;

    private static ImmutableArray<Diagnostic> Describe(ReadOnlySpan<byte> source, List<SyntaxError> errors)
    {
        var lines = new LineMap(source);
        var diagnostics = ImmutableArray.CreateBuilder<Diagnostic>(errors.Count);
        foreach (SyntaxError error in errors)
        {
            diagnostics.Add(new Diagnostic(error.Id, Severity.Error, error.Message) { Start = lines[error.Span.Start], End = lines[error.Span.End] });
        }
        return diagnostics.MoveToImmutable();
    }
}
