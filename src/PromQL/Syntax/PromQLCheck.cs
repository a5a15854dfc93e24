using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Syntax;

/// <summary>
/// The line protocol of <c>optiinfra promql</c>: each line in is a JSON string that holds an expression, each line out a JSON object
/// with <c>ok</c>, then <c>type</c> (check) or <c>formatted</c> (format), then <c>errors</c>, each with <c>line</c>, <c>column</c> and <c>message</c>.
/// One line is answered before the next is read.
/// </summary>
public static class PromQLCheck
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string CheckLine(string line, ParserOptions options) =>
        Answer(line, options, "type", expr => TypeName(expr.Type));

    public static string FormatLine(string line, ParserOptions options) =>
        Answer(line, options, "formatted", Printer.Format);

    /// <summary>The type as the Prometheus API names it in results.</summary>
    public static string TypeName(PromType type) => type switch
    {
        PromType.Scalar => "scalar",
        PromType.Vector => "vector",
        PromType.Matrix => "matrix",
        PromType.String => "string",
        _ => "none",
    };

    private static string Answer(string line, ParserOptions options, string field, Func<Expr, string> value)
    {
        ParseResult result = ReadExpression(line) is { } text
            ? PromQLParser.Parse(text, options)
            : new ParseResult(null, [new Diagnostic("promql/input", Severity.Error, "the line is not a JSON string") { Start = new TextPosition(1, 1) }]);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteBoolean("ok", result.IsValid);
            json.WriteString(field, result.Expr is null ? null : value(result.Expr));
            WriteErrors(json, result.Diagnostics);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteErrors(Utf8JsonWriter json, ImmutableArray<Diagnostic> errors)
    {
        json.WriteStartArray("errors");
        foreach (Diagnostic error in errors)
        {
            json.WriteStartObject();
            json.WriteNumber("line", error.Start.Line);
            json.WriteNumber("column", error.Start.Column);
            json.WriteString("message", error.Message);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string? ReadExpression(string line)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(line));
            return reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate is no text at all.
            return null;
        }
    }
}
