using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// Values while an expression runs: null, bool, long, ulong, double, string, byte[], DateTimeOffset, TimeSpan, CelList,
/// CelMap, CelOptional, CelType (a type as a value), Uri, Quantity, IPAddress, IPNetwork.
/// </summary>
internal abstract class CelList
{
    public abstract int Count { get; }

    public abstract object? this[int index] { get; }

    public IEnumerable<object?> Items => Enumerable.Range(0, Count).Select(i => this[i]);

    public static CelList Of(IReadOnlyList<object?> items) => new ListOfValues(items);

    /// <summary>A JSON array whose items are read when they are asked for.</summary>
    public static CelList Of(JsonArray items, StructuralSchema? schema) => new ListOfJson(items, schema);

    private sealed class ListOfValues(IReadOnlyList<object?> items) : CelList
    {
        public override int Count => items.Count;

        public override object? this[int index] => items[index];
    }

    private sealed class ListOfJson(JsonArray items, StructuralSchema? schema) : CelList
    {
        public override int Count => items.Count;

        public override object? this[int index] => CelValue.FromJson(items[index], schema?.Items);
    }
}

internal abstract class CelMap
{
    public abstract int Count { get; }

    public abstract IEnumerable<object> Keys { get; }

    public abstract bool TryGet(object? key, out object? value);

    public static CelMap Of(IReadOnlyDictionary<object, object?> entries) => new MapOfValues(entries);

    /// <summary>A JSON object: with a schema of fields its members have escaped names.</summary>
    public static CelMap Of(JsonObject members, StructuralSchema? schema) => new MapOfJson(members, schema);

    private sealed class MapOfValues(IReadOnlyDictionary<object, object?> entries) : CelMap
    {
        public override int Count => entries.Count;

        public override IEnumerable<object> Keys => entries.Keys;

        public override bool TryGet(object? key, out object? value)
        {
            value = null;
            return key is not null && (entries.TryGetValue(key, out value)
                || (CelValue.AsWholeNumber(key) is { } number && (entries.TryGetValue(number, out value) || (number >= 0 && entries.TryGetValue((ulong)number, out value)))));
        }
    }

    private sealed class MapOfJson(JsonObject members, StructuralSchema? schema) : CelMap
    {
        private readonly Dictionary<string, string> names = members.Select(static member => member.Key)
            .Select(name => (Name: name, Shown: schema?.Values is null && schema is not null ? FieldNames.Escape(name) : name))
            .Where(static pair => pair.Shown is not null).ToDictionary(static pair => pair.Shown!, static pair => pair.Name);

        public override int Count => names.Count;

        public override IEnumerable<object> Keys => names.Keys;

        public override bool TryGet(object? key, out object? value)
        {
            value = null;
            if (key is not string shown || !(names.TryGetValue(shown, out string? name) || (FieldNames.IsReserved(shown) && members.ContainsKey(name = shown))))
            {
                return false;
            }

            value = CelValue.FromJson(members[name], schema?.Member(name));
            return true;
        }
    }
}

/// <summary>A value that may be missing.</summary>
internal sealed record CelOptional(bool HasValue, object? Value)
{
    public static readonly CelOptional None = new(false, null);

    public static CelOptional Of(object? value) => new(true, value);
}

/// <summary>An expression that could not be evaluated; the message is the evaluator's own.</summary>
internal sealed class CelException(string message) : Exception(message)
{
    public static CelException NoOverload() => new("no such overload");
}

/// <summary>Conversion, equality and text of values.</summary>
internal static class CelValue
{
    // The casts keep the arms apart: without them all numbers would become double.
    public static object? FromJson(JsonNode? node, StructuralSchema? schema) => node switch
    {
        null => null,
        JsonObject members => CelMap.Of(members, schema),
        JsonArray items => CelList.Of(items, schema),
        _ when Json.AsString(node) is { } text => FromText(text, schema?.IntOrString == true ? "" : schema?.Format ?? ""),
        _ when Json.IsBoolean(node) => (object)node.GetValue<bool>(),
        _ when schema?.Type == "number" => (object)Json.ToDouble(node),
        _ when Json.TryInteger(node, out long whole) => (object)whole,
        _ when schema?.Type == "integer" => (object)(long)Json.ToDouble(node),
        _ => (object)Json.ToDouble(node),
    };

    private static object FromText(string text, string format) => format switch
    {
        "byte" when Formats.FirstBadBase64(text) < 0 => Convert.FromBase64String(text),
        "duration" when CelTime.TryDuration(text, out TimeSpan duration) => duration,
        "date" or "date-time" when CelTime.TryTimestamp(text, out DateTimeOffset time) => time,
        _ => text,
    };

    public static CelType TypeOf(object? value) => value switch
    {
        null => CelType.Null,
        bool => CelType.Bool,
        long => CelType.Int,
        ulong => CelType.Uint,
        double => CelType.Double,
        string => CelType.String,
        byte[] => CelType.Bytes,
        DateTimeOffset => CelType.Timestamp,
        TimeSpan => CelType.Duration,
        CelList => CelType.List(CelType.Dyn),
        CelMap => CelType.Map(CelType.Dyn, CelType.Dyn),
        CelOptional => CelType.Optional(CelType.Dyn),
        CelType => CelType.TypeOf(CelType.Dyn),
        Uri => CelType.Url,
        Quantity => CelType.Quantity,
        IPAddress => CelType.Ip,
        CidrValue => CelType.Cidr,
        _ => CelType.Dyn,
    };

    public static long? AsWholeNumber(object? value) => value switch
    {
        long number => number,
        ulong number when number <= long.MaxValue => (long)number,
        double number when Math.Floor(number) == number && Math.Abs(number) < 9e15 => (long)number,
        _ => null,
    };

    public static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (long or ulong or double, long or ulong or double) => Compare(left, right) == 0,
        (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
        (CelList a, CelList b) => a.Count == b.Count && a.Items.Zip(b.Items).All(static pair => AreEqual(pair.First, pair.Second)),
        (CelMap a, CelMap b) => a.Count == b.Count && a.Keys.All(key => a.TryGet(key, out object? x) && b.TryGet(key, out object? y) && AreEqual(x, y)),
        (CelOptional a, CelOptional b) => a.HasValue == b.HasValue && (!a.HasValue || AreEqual(a.Value, b.Value)),
        (CelType a, CelType b) => a.Kind == b.Kind && a.Name == b.Name,
        (Quantity a, Quantity b) => a.Nano == b.Nano,
        _ => left is not null && left.Equals(right),
    };

    /// <summary>Order of two comparable values, or null when there is none.</summary>
    public static int? Compare(object? left, object? right) => (left, right) switch
    {
        (long a, long b) => a.CompareTo(b),
        (ulong a, ulong b) => a.CompareTo(b),
        (long a, ulong b) => a < 0 ? -1 : ((ulong)a).CompareTo(b),
        (ulong a, long b) => b < 0 ? 1 : a.CompareTo((ulong)b),
        (double a, long or ulong or double) => Order(a, Convert.ToDouble(right)),
        (long or ulong, double b) => Order(Convert.ToDouble(left), b),
        (string a, string b) => Math.Sign(string.CompareOrdinal(a, b)),
        (bool a, bool b) => a.CompareTo(b),
        (byte[] a, byte[] b) => a.AsSpan().SequenceCompareTo(b),
        (DateTimeOffset a, DateTimeOffset b) => a.CompareTo(b),
        (TimeSpan a, TimeSpan b) => a.CompareTo(b),
        _ => null,
    };

    private static int? Order(double left, double right) => double.IsNaN(left) || double.IsNaN(right) ? null : left.CompareTo(right);

    /// <summary>What string() makes of a value.</summary>
    public static string Text(object? value) => value switch
    {
        bool flag => flag ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        ulong number => number.ToString(CultureInfo.InvariantCulture),
        double number => Json.FormatDouble(number),
        string text => text,
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        DateTimeOffset time => CelTime.Text(time),
        TimeSpan duration => CelTime.Text(duration),
        CelType type => type.Name,
        Uri uri => uri.OriginalString,
        _ => value?.ToString() ?? "null",
    };
}
