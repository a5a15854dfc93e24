using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Cli.Output;

/// <summary>How findings are printed.</summary>
internal enum FindingFormat
{
    /// <summary>For people: the line of the source with a caret under the place.</summary>
    Text,
    Json,

    /// <summary>The Static Analysis Results Interchange Format 2.1.0, which code hosts show in their own interface.</summary>
    Sarif,

    /// <summary>Workflow commands, which GitHub Actions turns into annotations.</summary>
    GitHub,
}

/// <summary>Writes findings in each of the formats; <paramref name="sources"/> are the texts by name, for excerpts.</summary>
internal sealed class FindingWriter(TextWriter output, IReadOnlyDictionary<string, string> sources)
{
    private const string HelpRoot = "docs/lint/";

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Write(IReadOnlyList<Diagnostic> findings, FindingFormat format)
    {
        switch (format)
        {
            case FindingFormat.Json:
                WriteJson(json => Findings(json, findings));
                break;
            case FindingFormat.Sarif:
                WriteJson(json => Sarif(json, findings));
                break;
            case FindingFormat.GitHub:
                foreach (Diagnostic finding in findings)
                {
                    output.WriteLine(Annotation(finding));
                }
                break;
            default:
                foreach (Diagnostic finding in findings)
                {
                    output.WriteLine(finding.ToString());
                    Excerpt(finding);
                }
                break;
        }
    }

    private void Excerpt(Diagnostic finding)
    {
        if (finding.Source is null || !finding.Start.IsKnown || !sources.TryGetValue(finding.Source, out string? text))
        {
            return;
        }
        string? line = text.Split('\n').ElementAtOrDefault(finding.Start.Line - 1)?.TrimEnd('\r');
        if (line is null)
        {
            return;
        }
        string number = finding.Start.Line.ToString();
        int column = Characters(line, finding.Start.Column);
        int end = finding.End.Line == finding.Start.Line ? Characters(line, finding.End.Column) : line.Length;
        // Tabs are kept in the margin so that the caret stands under its character whatever their width.
        string margin = string.Concat(line.Take(column).Select(c => c == '\t' ? '\t' : ' '));
        output.WriteLine($" {number} | {line}");
        output.WriteLine($" {new string(' ', number.Length)} | {margin}{new string('^', Math.Max(1, end - column))}");
    }

    /// <summary>How many characters stand before a column counted in bytes.</summary>
    private static int Characters(string line, int column)
    {
        int index = 0;
        for (int bytes = 1; bytes < column && index < line.Length;)
        {
            Rune.DecodeFromUtf16(line.AsSpan(index), out Rune rune, out int length);
            bytes += rune.Utf8SequenceLength;
            index += length;
        }
        return index;
    }

    private static string Annotation(Diagnostic finding)
    {
        string level = finding.Severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "notice" };
        string place = finding.Source is null ? "" : $"file={Property(finding.Source)},";
        string position = finding.Start.IsKnown ? $"line={finding.Start.Line},col={finding.Start.Column}," : "";
        string hint = finding.Hint is null ? "" : $" ({finding.Hint})";
        return $"::{level} {place}{position}title={Property(finding.Id)}::{Data(finding.Message + hint)}";

        static string Data(string text) => text.Replace("%", "%25").Replace("\r", "%0D").Replace("\n", "%0A");
        static string Property(string text) => Data(text).Replace(":", "%3A").Replace(",", "%2C");
    }

    private void WriteJson(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            write(json);
        }
        output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static void Findings(Utf8JsonWriter json, IReadOnlyList<Diagnostic> findings)
    {
        json.WriteStartArray();
        foreach (Diagnostic finding in findings)
        {
            json.WriteStartObject();
            json.WriteString("id", finding.Id);
            json.WriteString("severity", finding.Severity.ToString().ToLowerInvariant());
            json.WriteString("source", finding.Source);
            json.WriteString("field", finding.Field);
            json.WriteNumber("line", finding.Start.Line);
            json.WriteNumber("column", finding.Start.Column);
            json.WriteNumber("endLine", finding.End.Line);
            json.WriteNumber("endColumn", finding.End.Column);
            json.WriteString("message", finding.Message);
            json.WriteString("hint", finding.Hint);
            json.WriteBoolean("fixable", finding.Fix is not null);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Sarif(Utf8JsonWriter json, IReadOnlyList<Diagnostic> findings)
    {
        json.WriteStartObject();
        json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        json.WriteString("version", "2.1.0");
        json.WriteStartArray("runs");
        json.WriteStartObject();
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "optiinfra");
        json.WriteStartArray("rules");
        foreach (string id in findings.Select(finding => finding.Id).Distinct().Order(StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("helpUri", $"{HelpRoot}{id}.md");
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("results");
        foreach (Diagnostic finding in findings)
        {
            Result(json, finding);
        }
        json.WriteEndArray();
        json.WriteString("columnKind", "unicodeCodePoints");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Result(Utf8JsonWriter json, Diagnostic finding)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", finding.Id);
        json.WriteString("level", finding.Severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "note" });
        json.WriteStartObject("message");
        json.WriteString("text", finding.Hint is null ? finding.Message : $"{finding.Message} ({finding.Hint})");
        json.WriteEndObject();
        if (finding.Source is not null)
        {
            json.WriteStartArray("locations");
            json.WriteStartObject();
            json.WriteStartObject("physicalLocation");
            json.WriteStartObject("artifactLocation");
            json.WriteString("uri", finding.Source);
            json.WriteEndObject();
            if (finding.Start.IsKnown)
            {
                json.WriteStartObject("region");
                json.WriteNumber("startLine", finding.Start.Line);
                json.WriteNumber("startColumn", finding.Start.Column);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }
}
