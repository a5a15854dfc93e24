using System.Collections.Immutable;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace OptiInfra.PromQL.Text;

public enum YamlStyle : byte
{
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// <summary>A node of a YAML document with the place where it stands.</summary>
public abstract class YamlNode
{
    public TextPosition Start { get; init; }

    public TextPosition End { get; init; }

    /// <summary>Nodes in this tree with every alias written out; guards against documents that explode.</summary>
    internal long ExpandedSize { get; init; } = 1;
}

public sealed class YamlScalar(string value, YamlStyle style) : YamlNode
{
    public string Value { get; } = value;

    public YamlStyle Style { get; } = style;

    /// <summary>An explicit tag such as <c>!!str</c>, or "".</summary>
    public string Tag { get; init; } = "";

    /// <summary>Whether YAML reads it as nothing rather than as a text.</summary>
    public bool IsNull => Style == YamlStyle.Plain && Tag.Length == 0 && Value is "" or "~" or "null" or "Null" or "NULL";

    public override string ToString() => Value;
}

public sealed class YamlSequence(ImmutableArray<YamlNode> items) : YamlNode
{
    public ImmutableArray<YamlNode> Items { get; } = items;
}

public readonly record struct YamlEntry(YamlScalar Key, YamlNode Value);

public sealed class YamlMapping(ImmutableArray<YamlEntry> entries) : YamlNode
{
    /// <summary>In the order of the text; what merge keys (<c>&lt;&lt;</c>) bring in comes last and never replaces what is written.</summary>
    public ImmutableArray<YamlEntry> Entries { get; } = entries;

    public YamlNode? Find(string key)
    {
        foreach (YamlEntry entry in Entries)
        {
            if (entry.Key.Value == key)
            {
                return entry.Value;
            }
        }
        return null;
    }
}

/// <summary>
/// YAML with positions: <see cref="Parse"/> reads a text into one tree per document. Aliases are resolved (the same node appears twice),
/// merge keys are merged, a key given twice and broken syntax are diagnostics. Types are left to the reader of the tree.
/// </summary>
public sealed class YamlTree
{
    private const int MaxDepth = 200;
    private const long MaxExpandedSize = 10_000_000;

    private readonly ImmutableArray<Diagnostic>.Builder diagnostics = ImmutableArray.CreateBuilder<Diagnostic>();
    private readonly Dictionary<string, YamlNode> anchors = new(StringComparer.Ordinal);
    private readonly string text;
    private readonly bool firstOnly;
    private readonly bool isAscii;
    private readonly Parser parser;
    private int[]? lineStarts;

    private YamlTree(string text, bool firstOnly)
    {
        this.text = text;
        this.firstOnly = firstOnly;
        isAscii = Ascii.IsValid(text);
        parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The root of each document; null for an empty one.</summary>
    public ImmutableArray<YamlNode?> Documents { get; private set; } = [];

    public ImmutableArray<Diagnostic> Diagnostics => diagnostics.ToImmutable();

    /// <param name="text">The whole text.</param>
    /// <param name="firstOnly">Stop after the first document, as readers do that know only one.</param>
    public static YamlTree Parse(string text, bool firstOnly = false)
    {
        var tree = new YamlTree(text, firstOnly);
        var documents = ImmutableArray.CreateBuilder<YamlNode?>();
        try
        {
            tree.parser.Consume<StreamStart>();
            while (!tree.parser.TryConsume<StreamEnd>(out _))
            {
                tree.parser.Consume<DocumentStart>();
                tree.anchors.Clear();
                YamlNode root = tree.Node(0);
                documents.Add(root is YamlScalar { IsNull: true } ? null : root);
                if (firstOnly)
                {
                    break;
                }
                tree.parser.Consume<DocumentEnd>();
            }
        }
        catch (YamlException e)
        {
            tree.Fail(e.InnerException is null ? e.Message : e.InnerException.Message, e.Start, e.End);
            documents.Clear();
        }
        catch (InvalidOperationException)
        {
            // How the YAML library says that it lost its way on some broken documents.
            tree.Fail("the document is malformed", tree.parser.Current?.End ?? Mark.Empty, tree.parser.Current?.End ?? Mark.Empty);
            documents.Clear();
        }
        tree.Documents = documents.ToImmutable();
        return tree;
    }

    /// <summary>Where a UTF-8 byte offset inside a scalar's value stands in the text.</summary>
    public TextPosition PositionIn(YamlScalar scalar, int byteOffset)
    {
        ReadOnlySpan<char> value = scalar.Value;
        int offset = Math.Clamp(CharIndex(value, byteOffset), 0, value.Length);
        int line = value[..offset].Count('\n');
        if (scalar.Style == YamlStyle.Literal)
        {
            int lineStart = value[..offset].LastIndexOf('\n') + 1;
            int sourceLine = scalar.Start.Line + 1 + line;
            return new TextPosition(sourceLine, Indentation(scalar.Start.Line + 1) + Encoding.UTF8.GetByteCount(value[lineStart..offset]) + 1);
        }
        if (scalar.Style == YamlStyle.Folded || scalar.End.Line > scalar.Start.Line)
        {
            return PositionByWords(scalar, offset);
        }
        int quote = scalar.Style == YamlStyle.Plain ? 0 : 1;
        int escapes = scalar.Style == YamlStyle.Plain ? 0 : EscapesBefore(scalar, offset);
        return scalar.Start with { Column = scalar.Start.Column + quote + escapes + Encoding.UTF8.GetByteCount(value[..offset]) };
    }

    /// <summary>The text of a line without its end, "" past the last.</summary>
    public string Line(int line)
    {
        int[] starts = LineStarts();
        if (line < 1 || line > starts.Length)
        {
            return "";
        }
        int end = line < starts.Length ? starts[line] : text.Length;
        return text[starts[line - 1]..end].TrimEnd('\r', '\n');
    }

    public bool Contains(string part) => text.Contains(part, StringComparison.Ordinal);

    public int LineCount => LineStarts().Length;

    private YamlNode Node(int depth)
    {
        if (depth > MaxDepth)
        {
            throw new SemanticErrorException(parser.Current!.Start, parser.Current.End, "the document is nested too deeply");
        }
        switch (parser.Current)
        {
            case AnchorAlias alias:
                parser.MoveNext();
                return anchors.TryGetValue(alias.Value.Value, out YamlNode? target)
                    ? target
                    : throw new AnchorNotFoundException(alias.Start, alias.End, $"unknown anchor '{alias.Value.Value}' referenced");
            case MappingStart mapping:
                parser.MoveNext();
                return Anchored(mapping, Mapping(mapping, depth));
            case SequenceStart sequence:
                parser.MoveNext();
                return Anchored(sequence, Sequence(sequence, depth));
            default:
                var scalar = parser.Consume<Scalar>();
                return Anchored(scalar, new YamlScalar(scalar.Value, Style(scalar.Style))
                {
                    Start = Position(scalar.Start),
                    End = Position(scalar.End),
                    Tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value,
                });
        }
    }

    /// <summary>Leaves the end of the only document alone: looking past it would find fault with what follows.</summary>
    private ParsingEvent TakeEnd(int depth)
    {
        ParsingEvent end = parser.Current!;
        if (depth > 0 || !firstOnly)
        {
            parser.MoveNext();
        }
        return end;
    }

    private YamlNode Anchored(NodeEvent source, YamlNode node)
    {
        if (node.ExpandedSize > MaxExpandedSize)
        {
            throw new SemanticErrorException(source.Start, source.End, "the document contains excessive aliasing");
        }
        if (!source.Anchor.IsEmpty)
        {
            anchors[source.Anchor.Value] = node;
        }
        return node;
    }

    private YamlSequence Sequence(SequenceStart start, int depth)
    {
        var items = ImmutableArray.CreateBuilder<YamlNode>();
        long size = 1;
        while (parser.Current is not SequenceEnd)
        {
            YamlNode item = Node(depth + 1);
            size += item.ExpandedSize;
            items.Add(item);
        }
        ParsingEvent end = TakeEnd(depth);
        return new YamlSequence(items.DrainToImmutable()) { Start = Position(start.Start), End = Position(end.Start), ExpandedSize = size };
    }

    private YamlMapping Mapping(MappingStart start, int depth)
    {
        var entries = ImmutableArray.CreateBuilder<YamlEntry>();
        List<YamlNode>? merged = null;
        long size = 1;
        while (parser.Current is not MappingEnd)
        {
            YamlNode key = Node(depth + 1);
            YamlNode value = Node(depth + 1);
            size += key.ExpandedSize + value.ExpandedSize;
            if (key is not YamlScalar name)
            {
                diagnostics.Add(Error("yaml/parse", "a key must be a text, not a mapping or a list", key));
            }
            else if (name is { Value: "<<", Style: YamlStyle.Plain })
            {
                (merged ??= []).Add(value);
            }
            else
            {
                if (FindKey(entries, name) is { } first)
                {
                    diagnostics.Add(Error("yaml/duplicate-key", $"the key \"{name.Value}\" was already given on line {first.Start.Line}", name));
                }
                entries.Add(new YamlEntry(name, value));
            }
        }
        ParsingEvent end = TakeEnd(depth);
        foreach (YamlNode source in merged ?? [])
        {
            Merge(entries, source);
        }
        return new YamlMapping(entries.DrainToImmutable()) { Start = Position(start.Start), End = Position(end.Start), ExpandedSize = size };
    }

    private void Merge(ImmutableArray<YamlEntry>.Builder entries, YamlNode source)
    {
        switch (source)
        {
            case YamlMapping mapping:
                foreach (YamlEntry entry in mapping.Entries)
                {
                    if (FindKey(entries, entry.Key) is null)
                    {
                        entries.Add(entry);
                    }
                }
                break;
            case YamlSequence sequence when sequence.Items.All(item => item is YamlMapping):
                foreach (YamlNode item in sequence.Items)
                {
                    Merge(entries, item);
                }
                break;
            default:
                diagnostics.Add(Error("yaml/parse", "a merge (<<) needs a mapping or a list of mappings", source));
                break;
        }
    }

    private static YamlScalar? FindKey(ImmutableArray<YamlEntry>.Builder entries, YamlScalar key)
    {
        foreach (YamlEntry entry in entries)
        {
            if (entry.Key.Value == key.Value)
            {
                return entry.Key;
            }
        }
        return null;
    }

    private void Fail(string reason, Mark start, Mark end) => diagnostics.Add(
        new Diagnostic("yaml/parse", Severity.Error, $"the YAML cannot be read: {reason}") { Start = Position(start), End = Position(end) });

    private static Diagnostic Error(string id, string message, YamlNode place) =>
        new(id, Severity.Error, message) { Start = place.Start, End = place.End };

    private TextPosition Position(Mark mark)
    {
        int line = (int)mark.Line;
        int column = (int)mark.Column;
        if (!isAscii && line >= 1)
        {
            string source = Line(line);
            column = Encoding.UTF8.GetByteCount(source.AsSpan(0, Math.Min(column - 1, source.Length))) + 1;
        }
        return new TextPosition(line, column);
    }

    private static YamlStyle Style(ScalarStyle style) => style switch
    {
        ScalarStyle.SingleQuoted => YamlStyle.SingleQuoted,
        ScalarStyle.DoubleQuoted => YamlStyle.DoubleQuoted,
        ScalarStyle.Literal => YamlStyle.Literal,
        ScalarStyle.Folded => YamlStyle.Folded,
        _ => YamlStyle.Plain,
    };

    // ---- Positions inside scalars.

    private static int CharIndex(ReadOnlySpan<char> value, int byteOffset)
    {
        int index = 0;
        for (int bytes = 0; index < value.Length && bytes < byteOffset;)
        {
            Rune.DecodeFromUtf16(value[index..], out Rune rune, out int length);
            bytes += rune.Utf8SequenceLength;
            index += length;
        }
        return index;
    }

    /// <summary>The indentation of a block scalar: that of its first line that is not blank.</summary>
    private int Indentation(int firstLine)
    {
        for (int line = firstLine; line <= LineCount; line++)
        {
            string source = Line(line);
            if (source.Trim().Length > 0)
            {
                return source.Length - source.TrimStart(' ').Length;
            }
        }
        return 0;
    }

    /// <summary>Folding only changes the space between words, so counting what is not space finds the place again.</summary>
    private TextPosition PositionByWords(YamlScalar scalar, int offset)
    {
        int wanted = 0;
        foreach (char c in scalar.Value.AsSpan(0, offset))
        {
            wanted += char.IsWhiteSpace(c) ? 0 : 1;
        }
        bool block = scalar.Style == YamlStyle.Folded;
        int line = scalar.Start.Line + (block ? 1 : 0);
        int column = block ? 0 : scalar.Start.Column - 1 + (scalar.Style == YamlStyle.Plain ? 0 : 1);
        for (; line <= LineCount; line++, column = 0)
        {
            string source = Line(line);
            for (; column < source.Length; column++)
            {
                if (char.IsWhiteSpace(source[column]))
                {
                    continue;
                }
                if (wanted-- == 0)
                {
                    return new TextPosition(line, Encoding.UTF8.GetByteCount(source.AsSpan(0, column)) + 1);
                }
            }
        }
        return scalar.Start;
    }

    /// <summary>Characters that quoting added before the offset: <c>\"</c> and the like in double quotes, <c>''</c> in single quotes.</summary>
    private int EscapesBefore(YamlScalar scalar, int offset)
    {
        string source = Line(scalar.Start.Line);
        int at = Math.Min(CharIndex(source, scalar.Start.Column), source.Length);
        int first = at;
        for (int done = 0; done < offset && at < source.Length; done++)
        {
            at += scalar.Style == YamlStyle.SingleQuoted
                ? source[at] == '\'' ? 2 : 1
                : source[at] != '\\' || at + 1 >= source.Length ? 1
                : source[at + 1] switch { 'x' => 4, 'u' => 6, 'U' => 10, _ => 2 };
        }
        return Math.Max(at - first - offset, 0);
    }

    private int[] LineStarts()
    {
        if (lineStarts is null)
        {
            var starts = new List<int> { 0 };
            for (int i = text.IndexOf('\n', StringComparison.Ordinal); i >= 0; i = text.IndexOf('\n', i + 1))
            {
                starts.Add(i + 1);
            }
            lineStarts = [.. starts];
        }
        return lineStarts;
    }
}
