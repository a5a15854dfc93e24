using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>What a call costs at most, and how large its result can get (null: like its type), from the sizes of its operands.</summary>
internal delegate (ulong Cost, ulong? Size) CostRule(ulong[] sizes);

/// <summary>One way to call a function: the types of its operands (the target of a method first), its result, what it does and costs.</summary>
internal sealed record Overload(string Function, bool IsMember, CelType[] Operands, CelType Result, Func<object?[], object?> Run)
{
    public CostRule Cost { get; init; } = CelCosts.One;

    /// <summary>Whether values can be passed to it.</summary>
    public bool Accepts(object?[] values) => values.Length == Operands.Length && values.Zip(Operands).All(static pair => Fits(pair.First, pair.Second));

    private static bool Fits(object? value, CelType type) => type.Kind is CelKind.Dyn or CelKind.Param || CelValue.TypeOf(value) is var actual && actual.Kind == type.Kind && (type.Kind != CelKind.Opaque || actual.Name == type.Name);
}

/// <summary>
/// The functions and operators of the language: the standard library and the string library here, the Kubernetes ones in
/// CelLibrary. Adding a function is adding a row.
/// </summary>
internal static class CelFunctions
{
    private static readonly CelType[] Numbers = [CelType.Int, CelType.Uint, CelType.Double];
    private static readonly CelType ListA = CelType.List(CelType.A);
    private static readonly CelType MapAB = CelType.Map(CelType.A, CelType.B);

    private static readonly ILookup<string, Overload> Table = Operators()
        .Concat(Arithmetic()).Concat(Comparisons()).Concat(Collections()).Concat(Conversions()).Concat(Strings()).Concat(Times()).Concat(Optionals())
        .Concat(CelLibrary.Overloads())
        .ToLookup(static overload => overload.Function);

    public static IEnumerable<Overload> Find(string function, bool isMember) => Table[function].Where(overload => overload.IsMember == isMember);

    public static bool Exists(string function) => Table.Contains(function);

    public static Overload Global(string name, CelType[] operands, CelType result, Func<object?[], object?> run) => new(name, false, operands, result, run);

    public static Overload Member(string name, CelType[] operands, CelType result, Func<object?[], object?> run) => new(name, true, operands, result, run);

    // The evaluator runs these itself, because they need not evaluate all operands.
    private static object? Special(object?[] operands) => throw CelException.NoOverload();

    private static IEnumerable<Overload> Operators() =>
    [
        Global("_&&_", [CelType.Bool, CelType.Bool], CelType.Bool, Special) with { Cost = CelCosts.Free },
        Global("_||_", [CelType.Bool, CelType.Bool], CelType.Bool, Special) with { Cost = CelCosts.Free },
        Global("_?_:_", [CelType.Bool, CelType.A, CelType.A], CelType.A, Special) with { Cost = static sizes => (0, Math.Max(sizes[1], sizes[2])) },
        Global("!_", [CelType.Bool], CelType.Bool, static o => !(bool)o[0]!),
        Global("_==_", [CelType.A, CelType.A], CelType.Bool, static o => CelValue.AreEqual(o[0], o[1])) with { Cost = CelCosts.Smallest },
        Global("_!=_", [CelType.A, CelType.A], CelType.Bool, static o => !CelValue.AreEqual(o[0], o[1])) with { Cost = CelCosts.Smallest },
        Global("@in", [CelType.A, ListA], CelType.Bool, static o => ((CelList)o[1]!).Items.Any(item => CelValue.AreEqual(item, o[0]))) with { Cost = static sizes => (sizes[1], null) },
        Global("@in", [CelType.A, MapAB], CelType.Bool, static o => ((CelMap)o[1]!).TryGet(o[0], out _)),
        Global("_[_]", [ListA, CelType.Int], CelType.A, static o => Item((CelList)o[0]!, o[1])),
        Global("_[_]", [MapAB, CelType.A], CelType.B, static o => ((CelMap)o[0]!).TryGet(o[1], out object? value) ? value : throw new CelException("no such key: " + CelValue.Text(o[1]))),
        Global("_[?_]", [ListA, CelType.Int], CelType.Optional(CelType.A), static o => o[1] is long i && i >= 0 && i < ((CelList)o[0]!).Count ? CelOptional.Of(((CelList)o[0]!)[(int)i]) : CelOptional.None),
        Global("_[?_]", [MapAB, CelType.A], CelType.Optional(CelType.B), static o => ((CelMap)o[0]!).TryGet(o[1], out object? value) ? CelOptional.Of(value) : CelOptional.None),
    ];

    private static object? Item(CelList list, object? index) => CelValue.AsWholeNumber(index) is { } i && i >= 0 && i < list.Count ? list[(int)i] : throw new CelException("index out of bounds: " + CelValue.Text(index));

    private static IEnumerable<Overload> Arithmetic()
    {
        foreach (string op in (string[])["_+_", "_-_", "_*_", "_/_", "_%_"])
        {
            foreach (CelType type in Numbers.Where(type => op != "_%_" || type != CelType.Double))
            {
                yield return Global(op, [type, type], type, o => Calculate(op, o[0]!, o[1]!));
            }
        }

        yield return Global("-_", [CelType.Int], CelType.Int, static o => (long)o[0]! == long.MinValue ? throw new CelException("integer overflow") : -(long)o[0]!);
        yield return Global("-_", [CelType.Double], CelType.Double, static o => -(double)o[0]!);
        yield return Global("_+_", [CelType.String, CelType.String], CelType.String, static o => (string)o[0]! + (string)o[1]!) with { Cost = CelCosts.Concatenate };
        yield return Global("_+_", [CelType.Bytes, CelType.Bytes], CelType.Bytes, static o => ((byte[])o[0]!).Concat((byte[])o[1]!).ToArray()) with { Cost = CelCosts.Concatenate };
        yield return Global("_+_", [ListA, ListA], ListA, static o => CelList.Of([.. ((CelList)o[0]!).Items, .. ((CelList)o[1]!).Items])) with { Cost = static sizes => (1, CelCosts.Add(sizes[0], sizes[1])) };
        yield return Global("_+_", [CelType.Timestamp, CelType.Duration], CelType.Timestamp, static o => (DateTimeOffset)o[0]! + (TimeSpan)o[1]!);
        yield return Global("_+_", [CelType.Duration, CelType.Timestamp], CelType.Timestamp, static o => (DateTimeOffset)o[1]! + (TimeSpan)o[0]!);
        yield return Global("_+_", [CelType.Duration, CelType.Duration], CelType.Duration, static o => (TimeSpan)o[0]! + (TimeSpan)o[1]!);
        yield return Global("_-_", [CelType.Timestamp, CelType.Timestamp], CelType.Duration, static o => (DateTimeOffset)o[0]! - (DateTimeOffset)o[1]!);
        yield return Global("_-_", [CelType.Timestamp, CelType.Duration], CelType.Timestamp, static o => (DateTimeOffset)o[0]! - (TimeSpan)o[1]!);
        yield return Global("_-_", [CelType.Duration, CelType.Duration], CelType.Duration, static o => (TimeSpan)o[0]! - (TimeSpan)o[1]!);
    }

    private static object Calculate(string op, object left, object right)
    {
        try
        {
            return (op, left, right) switch
            {
                ("_/_" or "_%_", long, 0L) or ("_/_" or "_%_", ulong, 0UL) => throw new CelException(op == "_/_" ? "division by zero" : "modulus by zero"),
                ("_+_", long a, long b) => (object)checked(a + b),
                ("_-_", long a, long b) => (object)checked(a - b),
                ("_*_", long a, long b) => (object)checked(a * b),
                ("_/_", long a, long b) => (object)checked(a / b),
                ("_%_", long a, long b) => (object)(b == -1 ? 0L : a % b),
                ("_+_", ulong a, ulong b) => (object)checked(a + b),
                ("_-_", ulong a, ulong b) => (object)checked(a - b),
                ("_*_", ulong a, ulong b) => (object)checked(a * b),
                ("_/_", ulong a, ulong b) => (object)(a / b),
                ("_%_", ulong a, ulong b) => (object)(a % b),
                ("_+_", double a, double b) => (object)(a + b),
                ("_-_", double a, double b) => (object)(a - b),
                ("_*_", double a, double b) => (object)(a * b),
                ("_/_", double a, double b) => (object)(a / b),
                _ => throw CelException.NoOverload(),
            };
        }
        catch (OverflowException)
        {
            throw new CelException(left is long ? "integer overflow" : "unsigned integer overflow");
        }
    }

    private static IEnumerable<Overload> Comparisons()
    {
        (string Name, Func<int, bool> Holds)[] operators = [("_<_", static c => c < 0), ("_<=_", static c => c <= 0), ("_>_", static c => c > 0), ("_>=_", static c => c >= 0)];
        CelType[] ordered = [CelType.Bool, CelType.String, CelType.Bytes, CelType.Timestamp, CelType.Duration];
        foreach ((string name, Func<int, bool> holds) in operators)
        {
            object? Run(object?[] o) => CelValue.Compare(o[0], o[1]) is { } order && holds(order);
            foreach (CelType left in Numbers)
            {
                foreach (CelType right in Numbers)
                {
                    yield return Global(name, [left, right], CelType.Bool, Run);
                }
            }

            foreach (CelType type in ordered)
            {
                yield return Global(name, [type, type], CelType.Bool, Run) with { Cost = type == CelType.String || type == CelType.Bytes ? CelCosts.Smallest : CelCosts.One };
            }
        }
    }

    private static IEnumerable<Overload> Collections() =>
        ((CelType, Func<object?, long>)[])
        [
            (CelType.String, static value => ((string)value!).EnumerateRunes().Count()),
            (CelType.Bytes, static value => ((byte[])value!).Length),
            (ListA, static value => ((CelList)value!).Count),
            (MapAB, static value => ((CelMap)value!).Count),
        ]
        is var sizes ? sizes.SelectMany(static size => new[]
        {
            Global("size", [size.Item1], CelType.Int, o => size.Item2(o[0])),
            Member("size", [size.Item1], CelType.Int, o => size.Item2(o[0])),
        }) : [];

    private static IEnumerable<Overload> Conversions() =>
    [
        Global("type", [CelType.A], CelType.TypeOf(CelType.A), static o => CelValue.TypeOf(o[0])),
        Global("dyn", [CelType.A], CelType.Dyn, static o => o[0]),
        Global("int", [CelType.Int], CelType.Int, static o => o[0]),
        Global("int", [CelType.Uint], CelType.Int, static o => (ulong)o[0]! <= long.MaxValue ? (long)(ulong)o[0]! : throw new CelException("integer overflow")),
        Global("int", [CelType.Double], CelType.Int, static o => Math.Abs((double)o[0]!) < 9.2e18 ? (long)(double)o[0]! : throw new CelException("integer overflow")),
        Global("int", [CelType.String], CelType.Int, static o => long.TryParse((string)o[0]!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : throw new CelException($"strconv.ParseInt: parsing \"{o[0]}\": invalid syntax")),
        Global("int", [CelType.Timestamp], CelType.Int, static o => ((DateTimeOffset)o[0]!).ToUnixTimeSeconds()),
        Global("uint", [CelType.Uint], CelType.Uint, static o => o[0]),
        Global("uint", [CelType.Int], CelType.Uint, static o => (long)o[0]! >= 0 ? (ulong)(long)o[0]! : throw new CelException("unsigned integer overflow")),
        Global("uint", [CelType.Double], CelType.Uint, static o => (double)o[0]! is >= 0 and < 1.8e19 and var number ? (ulong)number : throw new CelException("unsigned integer overflow")),
        Global("uint", [CelType.String], CelType.Uint, static o => ulong.TryParse((string)o[0]!, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : throw new CelException($"strconv.ParseUint: parsing \"{o[0]}\": invalid syntax")),
        Global("double", [CelType.Double], CelType.Double, static o => o[0]),
        Global("double", [CelType.Int], CelType.Double, static o => (double)(long)o[0]!),
        Global("double", [CelType.Uint], CelType.Double, static o => (double)(ulong)o[0]!),
        Global("double", [CelType.String], CelType.Double, static o => double.TryParse((string)o[0]!, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : throw new CelException($"strconv.ParseFloat: parsing \"{o[0]}\": invalid syntax")),
        Global("bool", [CelType.Bool], CelType.Bool, static o => o[0]),
        Global("bool", [CelType.String], CelType.Bool, static o => (string)o[0]! switch { "1" or "t" or "T" or "TRUE" or "true" or "True" => true, "0" or "f" or "F" or "FALSE" or "false" or "False" => false, var text => throw new CelException($"strconv.ParseBool: parsing \"{text}\": invalid syntax") }),
        .. ((CelType[])[CelType.Bool, CelType.Int, CelType.Uint, CelType.Double, CelType.Timestamp, CelType.Duration]).Select(static type => Global("string", [type], CelType.String, static o => CelValue.Text(o[0]))),
        Global("string", [CelType.String], CelType.String, static o => o[0]),
        Global("string", [CelType.Bytes], CelType.String, static o => CelValue.Text(o[0])) with { Cost = static sizes => (CelCosts.Tenth(sizes[0]), sizes[0]) },
        .. ((CelType[])[CelType.Url, CelType.Ip, CelType.Cidr, CelType.Quantity]).Select(static type => Global("string", [type], CelType.String, static o => CelValue.Text(o[0]))),
        Global("bytes", [CelType.Bytes], CelType.Bytes, static o => o[0]),
        Global("bytes", [CelType.String], CelType.Bytes, static o => Encoding.UTF8.GetBytes((string)o[0]!)) with { Cost = static sizes => (CelCosts.Tenth(sizes[0]), CelCosts.Multiply(sizes[0], 4)) },
        Global("timestamp", [CelType.Timestamp], CelType.Timestamp, static o => o[0]),
        Global("timestamp", [CelType.String], CelType.Timestamp, static o => CelTime.TryTimestamp((string)o[0]!, out DateTimeOffset time) ? time : throw new CelException($"invalid timestamp \"{o[0]}\"")),
        Global("timestamp", [CelType.Int], CelType.Timestamp, static o => DateTimeOffset.FromUnixTimeSeconds((long)o[0]!)),
        Global("duration", [CelType.Duration], CelType.Duration, static o => o[0]),
        Global("duration", [CelType.String], CelType.Duration, static o => CelTime.TryDuration((string)o[0]!, out TimeSpan duration) ? duration : throw new CelException($"time: invalid duration \"{o[0]}\"")),
    ];

    private static IEnumerable<Overload> Strings()
    {
        CelType s = CelType.String;
        CelType i = CelType.Int;
        CostRule search = static sizes => (CelCosts.Multiply(CelCosts.Tenth(sizes[0]), CelCosts.Tenth(sizes[1])), null);
        CostRule copy = static sizes => (CelCosts.Tenth(sizes[0]), sizes[0]);
        return
        [
            Member("contains", [s, s], CelType.Bool, static o => ((string)o[0]!).Contains((string)o[1]!, StringComparison.Ordinal)) with { Cost = search },
            Member("startsWith", [s, s], CelType.Bool, static o => ((string)o[0]!).StartsWith((string)o[1]!, StringComparison.Ordinal)) with { Cost = static sizes => (CelCosts.Tenth(sizes[1]), null) },
            Member("endsWith", [s, s], CelType.Bool, static o => ((string)o[0]!).EndsWith((string)o[1]!, StringComparison.Ordinal)) with { Cost = static sizes => (CelCosts.Tenth(sizes[1]), null) },
            Member("matches", [s, s], CelType.Bool, Matches) with { Cost = CelCosts.Regex },
            Global("matches", [s, s], CelType.Bool, Matches) with { Cost = CelCosts.Regex },
            Member("charAt", [s, i], s, static o => CharAt(Runes(o[0]), (long)o[1]!)) with { Cost = static _ => (1, 4) },
            Member("indexOf", [s, s], i, static o => IndexOf(Runes(o[0]), Runes(o[1]), 0)) with { Cost = search },
            Member("indexOf", [s, s, i], i, static o => IndexOf(Runes(o[0]), Runes(o[1]), (long)o[2]!)) with { Cost = search },
            Member("lastIndexOf", [s, s], i, static o => LastIndexOf(Runes(o[0]), Runes(o[1]), long.MaxValue)) with { Cost = search },
            Member("lastIndexOf", [s, s, i], i, static o => LastIndexOf(Runes(o[0]), Runes(o[1]), (long)o[2]!)) with { Cost = search },
            Member("join", [CelType.List(s)], s, static o => Join((CelList)o[0]!, "")) with { Cost = static sizes => (CelCosts.Tenth(sizes[0]), null) },
            Member("join", [CelType.List(s), s], s, static o => Join((CelList)o[0]!, (string)o[1]!)) with { Cost = static sizes => (CelCosts.Tenth(sizes[0]), null) },
            Member("lowerAscii", [s], s, static o => Ascii((string)o[0]!, char.ToLowerInvariant)) with { Cost = copy },
            Member("upperAscii", [s], s, static o => Ascii((string)o[0]!, char.ToUpperInvariant)) with { Cost = copy },
            Member("reverse", [s], s, static o => string.Concat(Runes(o[0]).Reverse())) with { Cost = copy },
            Member("trim", [s], s, static o => ((string)o[0]!).Trim()) with { Cost = copy },
            Member("replace", [s, s, s], s, static o => Replace((string)o[0]!, (string)o[1]!, (string)o[2]!, -1)) with { Cost = CelCosts.Replace },
            Member("replace", [s, s, s, i], s, static o => Replace((string)o[0]!, (string)o[1]!, (string)o[2]!, (long)o[3]!)) with { Cost = CelCosts.Replace },
            Member("split", [s, s], CelType.List(s), static o => Split((string)o[0]!, (string)o[1]!, -1)) with { Cost = copy },
            Member("split", [s, s, i], CelType.List(s), static o => Split((string)o[0]!, (string)o[1]!, (long)o[2]!)) with { Cost = copy },
            Member("substring", [s, i], s, static o => Substring(Runes(o[0]), (long)o[1]!, null)) with { Cost = copy },
            Member("substring", [s, i, i], s, static o => Substring(Runes(o[0]), (long)o[1]!, (long)o[2]!)) with { Cost = copy },
            Member("format", [s, CelType.List(CelType.Dyn)], s, static o => CelFormat.Format((string)o[0]!, (CelList)o[1]!)) with { Cost = static sizes => (CelCosts.Tenth(sizes[0]), null) },
            Global("strings.quote", [s], s, static o => Json.Quote((string)o[0]!)) with { Cost = copy },
        ];
    }

    private static object? Matches(object?[] o) => GoRegex.TryCompile((string)o[1]!, out Regex regex, out string error) ? regex.IsMatch((string)o[0]!) : throw new CelException(error);

    private static Rune[] Runes(object? text) => [.. ((string)text!).EnumerateRunes()];

    private static string CharAt(Rune[] text, long index) => index == text.Length ? "" : index >= 0 && index < text.Length ? text[index].ToString() : throw new CelException("index out of range: " + index);

    private static long IndexOf(Rune[] text, Rune[] wanted, long from)
    {
        if (from < 0 || from > text.Length)
        {
            return wanted.Length == 0 || from < 0 || from > text.Length ? throw new CelException("index out of range: " + from) : -1L;
        }

        int at = text.AsSpan((int)from).IndexOf(wanted);
        return at < 0 ? -1L : from + at;
    }

    private static long LastIndexOf(Rune[] text, Rune[] wanted, long from)
    {
        if (from < 0)
        {
            throw new CelException("index out of range: " + from);
        }

        int end = (int)Math.Min(text.Length, from > int.MaxValue ? text.Length : from + wanted.Length);
        return text.AsSpan(0, end).LastIndexOf(wanted);
    }

    private static string Join(CelList list, string separator) => string.Join(separator, list.Items.Select(static item => item as string ?? throw CelException.NoOverload()));

    private static string Ascii(string text, Func<char, char> change) => string.Concat(text.Select(c => char.IsAscii(c) ? change(c) : c));

    private static string Replace(string text, string old, string with, long count)
    {
        var result = new StringBuilder();
        int at = 0;
        for (long done = 0; count < 0 || done < count; done++)
        {
            int found = old.Length == 0 ? (done == 0 ? at : at < text.Length ? at + 1 : -1) : text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0)
            {
                break;
            }

            result.Append(text, at, found - at).Append(with);
            at = found + old.Length;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }

    private static CelList Split(string text, string separator, long count)
    {
        if (count == 0)
        {
            return CelList.Of([]);
        }

        int limit = count < 0 ? int.MaxValue : (int)Math.Min(count, int.MaxValue);
        string[] parts = separator.Length == 0
            ? [.. text.EnumerateRunes().Take(limit - 1).Select(static rune => rune.ToString()), .. string.Concat(text.EnumerateRunes().Skip(limit - 1)) is { Length: > 0 } rest ? [rest] : Array.Empty<string>()]
            : text.Split(separator, limit);
        return CelList.Of(parts);
    }

    private static string Substring(Rune[] text, long start, long? end)
    {
        long stop = end ?? text.Length;
        return start < 0 || start > text.Length ? throw new CelException("index out of range: " + start)
            : stop < 0 || stop > text.Length ? throw new CelException("index out of range: " + stop)
            : start > stop ? throw new CelException($"invalid substring range. start: {start}, end: {stop}")
            : string.Concat(text[(int)start..(int)stop]);
    }

    private static IEnumerable<Overload> Times()
    {
        foreach (string name in (string[])["getFullYear", "getMonth", "getDayOfMonth", "getDate", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"])
        {
            yield return Member(name, [CelType.Timestamp], CelType.Int, o => CelTime.Part(name, (DateTimeOffset)o[0]!, ""));
            yield return Member(name, [CelType.Timestamp, CelType.String], CelType.Int, o => CelTime.Part(name, (DateTimeOffset)o[0]!, (string)o[1]!));
            if (name is "getHours" or "getMinutes" or "getSeconds" or "getMilliseconds")
            {
                yield return Member(name, [CelType.Duration], CelType.Int, o => CelTime.Part(name, (TimeSpan)o[0]!));
            }
        }
    }

    private static IEnumerable<Overload> Optionals()
    {
        CelType optional = CelType.Optional(CelType.A);
        return
        [
            Global("optional.of", [CelType.A], optional, static o => CelOptional.Of(o[0])),
            Global("optional.none", [], optional, static _ => CelOptional.None),
            Global("optional.ofNonZeroValue", [CelType.A], optional, static o => IsZero(o[0]) ? CelOptional.None : CelOptional.Of(o[0])),
            Member("hasValue", [optional], CelType.Bool, static o => ((CelOptional)o[0]!).HasValue),
            Member("value", [optional], CelType.A, static o => o[0] is CelOptional { HasValue: true } some ? some.Value : throw new CelException("optional.none() dereference")),
            Member("orValue", [optional, CelType.A], CelType.A, static o => o[0] is CelOptional { HasValue: true } some ? some.Value : o[1]),
            Member("or", [optional, optional], optional, static o => o[0] is CelOptional { HasValue: true } ? o[0] : o[1]),
        ];
    }

    private static bool IsZero(object? value) => value switch
    {
        null or false or 0L or 0UL or 0.0 or "" => true,
        CelList list => list.Count == 0,
        CelMap map => map.Count == 0,
        byte[] bytes => bytes.Length == 0,
        TimeSpan duration => duration == TimeSpan.Zero,
        _ => false,
    };
}
