using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Templates;

/// <summary>What templates can call: Go's predefined functions and those that Prometheus adds.</summary>
internal static class TemplateFunctions
{
    private delegate object? Function(object?[] args, TemplateData data);

    private static readonly FrozenDictionary<string, (int Arguments, Function Run)> Table = new Dictionary<string, (int, Function)>
    {
        // Go's own; -1 stands for any number of arguments.
        ["not"] = (1, (args, _) => !IsTrue(args[0])),
        ["len"] = (1, (args, _) => Length(args[0])),
        ["index"] = (-1, (args, _) => args.Skip(1).Aggregate(args[0], Index)),
        ["slice"] = (-1, Slice),
        ["print"] = (-1, (args, _) => TemplatePrinting.Sprint(args)),
        ["println"] = (-1, (args, _) => string.Join(' ', args.Select(TemplatePrinting.Print)) + "\n"),
        ["printf"] = (-1, (args, _) => TemplatePrinting.Printf(Text(args[0]), args[1..])),
        ["html"] = (-1, (args, _) => Html(TemplatePrinting.Sprint(args))),
        ["js"] = (-1, (args, _) => System.Text.Json.JsonEncodedText.Encode(TemplatePrinting.Sprint(args)).ToString()),
        ["urlquery"] = (-1, (args, _) => QueryEscape(TemplatePrinting.Sprint(args))),
        ["eq"] = (-1, (args, _) => args.Length < 2 ? throw Fail("missing argument for comparison") : args.Skip(1).Any(other => AreEqual(args[0], other))),
        ["ne"] = (2, (args, _) => !AreEqual(args[0], args[1])),
        ["lt"] = (2, (args, _) => Compare(args[0], args[1]) < 0),
        ["le"] = (2, (args, _) => Compare(args[0], args[1]) <= 0),
        ["gt"] = (2, (args, _) => Compare(args[0], args[1]) > 0),
        ["ge"] = (2, (args, _) => Compare(args[0], args[1]) >= 0),
        // Prometheus' queries and labels.
        ["query"] = (1, (args, data) => data.Query(Text(args[0]))),
        ["first"] = (1, (args, _) => Samples(args[0]) is [var first, ..] ? first : throw Fail("first() called on vector with no elements")),
        ["label"] = (2, (args, _) => Sample(args[1]).Labels.GetValueOrDefault(Text(args[0]), "")),
        ["value"] = (1, (args, _) => Sample(args[0]).Value),
        ["strvalue"] = (1, (args, _) => Sample(args[0]).Labels.GetValueOrDefault("__value__", "")),
        ["sortByLabel"] = (2, (args, _) => Samples(args[1]).OrderBy(s => s.Labels.GetValueOrDefault(Text(args[0]), ""), StringComparer.Ordinal).ToList()),
        ["args"] = (-1, (args, _) => args.Select((value, i) => (Key: $"arg{i}", value)).ToDictionary(pair => pair.Key, pair => pair.value)),
        // Texts and links.
        ["reReplaceAll"] = (3, (args, _) => Pattern(args[0]).ReplaceAll(Text(args[2]), Text(args[1]))),
        ["match"] = (2, (args, _) => Pattern(args[0]).IsMatch(Text(args[1]))),
        ["safeHtml"] = (1, (args, _) => Text(args[0])),
        ["title"] = (1, (args, _) => Title(Text(args[0]))),
        ["toUpper"] = (1, (args, _) => Text(args[0]).ToUpperInvariant()),
        ["toLower"] = (1, (args, _) => Text(args[0]).ToLowerInvariant()),
        ["urlQueryEscape"] = (1, (args, _) => QueryEscape(Text(args[0]))),
        ["graphLink"] = (1, (args, _) => $"/graph?g0.expr={QueryEscape(Text(args[0]))}&g0.tab=0"),
        ["tableLink"] = (1, (args, _) => $"/graph?g0.expr={QueryEscape(Text(args[0]))}&g0.tab=1"),
        ["stripPort"] = (1, (args, _) => SplitHostPort(Text(args[0])) is { } parts ? parts.Host : Text(args[0])),
        ["stripDomain"] = (1, (args, _) => StripDomain(Text(args[0]))),
        ["externalURL"] = (0, (_, data) => data.ExternalUrl),
        ["pathPrefix"] = (0, (_, data) => Uri.TryCreate(data.ExternalUrl, UriKind.Absolute, out Uri? url) ? url.AbsolutePath.TrimEnd('/') : ""),
        // Numbers.
        ["humanize"] = (1, (args, _) => Humanizing.Number(Number(args[0]))),
        ["humanize1024"] = (1, (args, _) => Humanizing.Bytes(Number(args[0]))),
        ["humanizeDuration"] = (1, (args, _) => Humanizing.Duration(Number(args[0]))),
        ["humanizePercentage"] = (1, (args, _) => GoNumber.FormatG(Number(args[0]) * 100, 4) + "%"),
        ["humanizeTimestamp"] = (1, (args, _) => Humanizing.Timestamp(Number(args[0]))),
        ["toTime"] = (1, (args, _) => Humanizing.ToTime(Number(args[0]))),
        ["toDuration"] = (1, (args, _) => TimeSpan.FromSeconds(Number(args[0]))),
        ["parseDuration"] = (1, (args, _) => PromDuration.TryParse(Text(args[0]), out PromDuration duration, out string error) ? duration.Seconds : throw Fail(error)),
    }.ToFrozenDictionary();

    public static object? Call(string name, object?[] args, TemplateData data)
    {
        if (!Table.TryGetValue(name, out (int Arguments, Function Run) function))
        {
            throw Fail($"{name} cannot be called here");
        }
        if (function.Arguments >= 0 ? args.Length != function.Arguments : args.Length == 0 && name is "index" or "slice" or "printf" or "eq")
        {
            throw Fail($"wrong number of args for {name}: want {Math.Max(1, function.Arguments)} got {args.Length}");
        }
        return function.Run(args, data);
    }

    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool boolean => boolean,
        string text => text.Length > 0,
        double number => number != 0,
        long number => number != 0,
        IReadOnlyDictionary<string, string> map => map.Count > 0,
        IReadOnlyDictionary<string, object?> map => map.Count > 0,
        IReadOnlyList<TemplateSample> list => list.Count > 0,
        _ => true,
    };

    /// <summary>A field of a value. A label that a series does not have is empty, an argument that was not given has no value.</summary>
    public static object? Field(object? source, string name) => (source, name) switch
    {
        (IReadOnlyDictionary<string, string> map, _) => map.GetValueOrDefault(name, ""),
        (IReadOnlyDictionary<string, object?> map, _) => map.GetValueOrDefault(name),
        (TemplateData data, "Labels") => data.Labels,
        (TemplateData data, "ExternalLabels") => data.ExternalLabels,
        (TemplateData data, "ExternalURL") => data.ExternalUrl,
        (TemplateData data, "Value") => data.Value,
        (TemplateSample sample, "Labels") => sample.Labels,
        (TemplateSample sample, "Value") => sample.Value,
        (FloatHistogram histogram, "Count") => histogram.Count,
        (FloatHistogram histogram, "Sum") => histogram.Sum,
        (DateTimeOffset or TimeSpan, _) => Method(source, name, []),
        (null, _) => throw Fail($"nil data; no entry for key \"{name}\""),
        _ => throw Fail($"can't evaluate field {name} in type {TypeName(source)}"),
    };

    public static object? Method(object? source, string name, object?[] args) => (source, name, args) switch
    {
        (DateTimeOffset time, "Format", [string layout]) => GoTimeLayout.Format(time, layout),
        (DateTimeOffset time, "Unix", []) => time.ToUnixTimeSeconds(),
        (DateTimeOffset time, "UTC", []) => time,
        (DateTimeOffset time, "String", []) => TemplatePrinting.Print(time),
        (DateTimeOffset time, "Year", []) => (long)time.Year,
        (DateTimeOffset time, "Day", []) => (long)time.Day,
        (DateTimeOffset time, "YearDay", []) => (long)time.DayOfYear,
        (DateTimeOffset time, "Hour", []) => (long)time.Hour,
        (DateTimeOffset time, "Minute", []) => (long)time.Minute,
        (DateTimeOffset time, "Second", []) => (long)time.Second,
        (DateTimeOffset time, "Month", []) => GoTimeLayout.Format(time, "January"),
        (DateTimeOffset time, "Weekday", []) => GoTimeLayout.Format(time, "Monday"),
        (TimeSpan duration, "Seconds", []) => duration.TotalSeconds,
        (TimeSpan duration, "Minutes", []) => duration.TotalMinutes,
        (TimeSpan duration, "Hours", []) => duration.TotalHours,
        _ => throw Fail($"{name} has arguments but cannot be invoked as function"),
    };

    /// <summary>What range goes over: keys and elements. Maps come in the order of their keys.</summary>
    public static IEnumerable<(object? Key, object? Item)> Items(object? collection) => collection switch
    {
        null => [],
        IReadOnlyList<TemplateSample> list => list.Select((item, i) => ((object?)(long)i, (object?)item)),
        IReadOnlyDictionary<string, string> map => map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => ((object?)pair.Key, (object?)pair.Value)),
        IReadOnlyDictionary<string, object?> map => map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => ((object?)pair.Key, pair.Value)),
        long count and >= 0 and < 1_000_000 => Enumerable.Range(0, (int)count).Select(i => ((object?)(long)i, (object?)(long)i)),
        _ => throw Fail($"range can't iterate over {TemplatePrinting.Print(collection)}"),
    };

    /// <summary>Numbers, and texts that hold one.</summary>
    public static double Number(object? value) => value switch
    {
        double number => number,
        long number => number,
        TimeSpan duration => duration.TotalSeconds,
        string text when TryNumber(text, out double number) => number,
        string text => throw Fail($"strconv.ParseFloat: parsing {StringSyntax.Quote(text)}: invalid syntax"),
        _ => throw Fail($"can't convert {TypeName(value)} to float"),
    };

    public static string TypeName(object? value) => value switch
    {
        null => "<nil>",
        string => "string",
        double => "float64",
        long => "int",
        bool => "bool",
        DateTimeOffset => "*time.Time",
        TemplateSample => "*template.sample",
        IReadOnlyList<TemplateSample> => "template.queryResult",
        FloatHistogram => "*histogram.FloatHistogram",
        IReadOnlyDictionary<string, string> => "map[string]string",
        IReadOnlyDictionary<string, object?> => "map[string]interface {}",
        _ => "struct",
    };

    private static bool TryNumber(string text, out double number)
    {
        string lower = text.TrimStart('+', '-').ToLowerInvariant();
        number = lower is "inf" or "infinity" ? (text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity) : double.NaN;
        return lower is "inf" or "infinity" or "nan"
            || double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number);
    }

    private static TemplateExecutionException Fail(string message) => new(message);

    private static string Text(object? value) => value as string ?? throw Fail($"wrong type for value; expected string; got {TypeName(value)}");

    private static TemplateSample Sample(object? value) => value as TemplateSample ?? throw Fail($"wrong type for value; expected *template.sample; got {TypeName(value)}");

    private static IReadOnlyList<TemplateSample> Samples(object? value) =>
        value as IReadOnlyList<TemplateSample> ?? throw Fail($"wrong type for value; expected template.queryResult; got {TypeName(value)}");

    private static GoRegex Pattern(object? value)
    {
        string pattern = Text(value);
        return RegexSyntax.Check(pattern).Error is { } error ? throw Fail($"error parsing regexp: {error}") : GoRegex.Compile(pattern);
    }

    private static long Length(object? value) => value switch
    {
        string text => (long)System.Text.Encoding.UTF8.GetByteCount(text),
        IReadOnlyList<TemplateSample> list => (long)list.Count,
        IReadOnlyDictionary<string, string> map => (long)map.Count,
        IReadOnlyDictionary<string, object?> map => (long)map.Count,
        _ => throw Fail($"len of type {TypeName(value)}"),
    };

    private static object? Index(object? source, object? key) => (source, key) switch
    {
        (IReadOnlyDictionary<string, string> map, string name) => map.GetValueOrDefault(name, ""),
        (IReadOnlyDictionary<string, object?> map, string name) => map.GetValueOrDefault(name),
        (IReadOnlyList<TemplateSample> list, long place) => place >= 0 && place < list.Count ? list[(int)place] : throw Fail($"error calling index: index out of range: {place}"),
        (string text, long place) => place >= 0 && place < text.Length ? (long)text[(int)place] : throw Fail($"error calling index: index out of range: {place}"),
        _ => throw Fail($"can't index item of type {TypeName(source)}"),
    };

    private static object? Slice(object?[] args, TemplateData data)
    {
        if (args[0] is not string text || args.Skip(1).Any(arg => arg is not long))
        {
            throw Fail($"can't slice item of type {TypeName(args[0])}");
        }
        long from = args.Length > 1 ? (long)args[1]! : 0, to = args.Length > 2 ? (long)args[2]! : text.Length;
        return from >= 0 && from <= to && to <= text.Length ? text[(int)from..(int)to] : throw Fail($"invalid slice index: {from} > {to}");
    }

    private static bool AreEqual(object? a, object? b) => (a, b) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        (string x, string y) => x == y,
        (double x, double y) => x == y,
        (long x, long y) => x == y,
        (bool x, bool y) => x == y,
        _ => throw Fail("incompatible types for comparison"),
    };

    private static int Compare(object? a, object? b) => (a, b) switch
    {
        (string x, string y) => string.CompareOrdinal(x, y),
        // NaN is neither less than nor equal to anything; only ">" and ">=" then hold, being negations in Go.
        (double x, double y) => x < y ? -1 : x == y ? 0 : 1,
        (long x, long y) => x.CompareTo(y),
        (string or double or long, string or double or long) => throw Fail("incompatible types for comparison"),
        _ => throw Fail("invalid type for comparison"),
    };

    private static string Html(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);

    private static string QueryEscape(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    private static string Title(string text)
    {
        char[] letters = text.ToCharArray();
        for (int i = 0; i < letters.Length; i++)
        {
            bool inWord = i > 0 && (char.IsLetterOrDigit(letters[i - 1]) || letters[i - 1] is '_' or '\'');
            letters[i] = inWord ? letters[i] : char.ToUpperInvariant(letters[i]);
        }
        return new string(letters);
    }

    /// <summary>Go's net.SplitHostPort; null where that fails.</summary>
    private static (string Host, string Port)? SplitHostPort(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon < 0)
        {
            return null;
        }
        string host = text[..colon];
        if (text.StartsWith('['))
        {
            return host.EndsWith(']') && host.IndexOf(']', StringComparison.Ordinal) == host.Length - 1 ? (host[1..^1], text[(colon + 1)..]) : null;
        }
        return host.AsSpan().ContainsAny(':', '[', ']') ? null : (host, text[(colon + 1)..]);
    }

    private static string StripDomain(string text)
    {
        (string host, string port) = SplitHostPort(text) ?? (text, "");
        if (IPAddress.TryParse(host, out _) && (host.Contains(':', StringComparison.Ordinal) || host.Count(c => c == '.') == 3))
        {
            return text;
        }
        host = host.Split('.')[0];
        return port.Length == 0 ? host : $"{host}:{port}";
    }
}
