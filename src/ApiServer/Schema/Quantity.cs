using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace OptiInfra.ApiServer.Schema;

/// <summary>How a quantity was written, and so how its canonical form is written.</summary>
internal enum QuantityFormat
{
    DecimalSi,
    BinarySi,
    DecimalExponent,
}

/// <summary>
/// A resource quantity such as <c>500m</c>, <c>1.5Gi</c> or <c>1e3</c>: a decimal number of at most nine fractional digits
/// (finer ones are rounded up). Equal quantities have equal nano values, however they were written.
/// </summary>
internal readonly partial record struct Quantity(BigInteger Nano, QuantityFormat Format) : IComparable<Quantity>
{
    public const string SyntaxError = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

    private static readonly BigInteger NanoPerUnit = BigInteger.Pow(10, 9);
    private static readonly string[] DecimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    private static readonly string[] BinarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

    [GeneratedRegex(@"^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i|)$", RegexOptions.CultureInvariant)]
    private static partial Regex Syntax();

    public bool IsInteger => Nano % NanoPerUnit == 0;

    public double AsDouble => (double)Nano / 1e9;

    public int CompareTo(Quantity other) => Nano.CompareTo(other.Nano);

    public static Quantity operator +(Quantity left, Quantity right) => left with { Nano = left.Nano + right.Nano };

    public static Quantity operator -(Quantity left, Quantity right) => left with { Nano = left.Nano - right.Nano };

    public static Quantity OfInteger(long value) => new(value * NanoPerUnit, QuantityFormat.DecimalSi);

    public bool TryInteger(out long value)
    {
        BigInteger whole = Nano / NanoPerUnit;
        bool fits = IsInteger && whole >= long.MinValue && whole <= long.MaxValue;
        value = fits ? (long)whole : 0;
        return fits;
    }

    public static bool TryParse(string text, out Quantity quantity)
    {
        quantity = default;
        Match match = Syntax().Match(text);
        if (!match.Success || (match.Groups[2].Length == 0 && match.Groups[3].Length == 0) || text.Length > 64)
        {
            return false;
        }

        string suffix = match.Groups[4].Value;
        string fraction = match.Groups[3].Value;
        BigInteger digits = BigInteger.Parse("0" + match.Groups[2].Value + fraction, CultureInfo.InvariantCulture);
        (BigInteger scaled, QuantityFormat format) = Scale(digits * NanoPerUnit, suffix);
        BigInteger unit = BigInteger.Pow(10, fraction.Length);
        if (suffix.Length > 1 && suffix[0] is 'e' or 'E' && suffix[^1] != 'i' && suffix[1] == '-')
        {
            unit *= BigInteger.Pow(10, int.Parse(suffix.AsSpan(2), CultureInfo.InvariantCulture));
        }

        BigInteger nano = (scaled + unit - 1) / unit;
        quantity = new Quantity(match.Groups[1].Value == "-" ? -nano : nano, format);
        return true;
    }

    private static (BigInteger Value, QuantityFormat Format) Scale(BigInteger value, string suffix)
    {
        int binary = Array.IndexOf(BinarySuffixes, suffix);
        if (binary > 0)
        {
            return (value * BigInteger.Pow(1024, binary), QuantityFormat.BinarySi);
        }

        int place = Array.IndexOf(DecimalSuffixes, suffix) - 3;
        if (place >= -3)
        {
            return (place < 0 ? value / BigInteger.Pow(1000, -place) : value * BigInteger.Pow(1000, place), QuantityFormat.DecimalSi);
        }

        int exponent = int.Parse(suffix.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return (exponent > 0 ? value * BigInteger.Pow(10, Math.Min(exponent, 64)) : value, QuantityFormat.DecimalExponent);
    }

    /// <summary>The canonical form: the largest suffix that needs no fraction.</summary>
    public override string ToString()
    {
        if (Nano.IsZero)
        {
            return "0";
        }

        BigInteger magnitude = BigInteger.Abs(Nano);
        string sign = Nano.Sign < 0 ? "-" : "";
        if (Format == QuantityFormat.BinarySi && magnitude >= 1024 * NanoPerUnit)
        {
            BigInteger whole = (magnitude + NanoPerUnit - 1) / NanoPerUnit;
            int power = 0;
            while (power < BinarySuffixes.Length - 1 && whole % 1024 == 0)
            {
                whole /= 1024;
                power++;
            }

            return sign + whole + BinarySuffixes[power];
        }

        int place = 0;
        while (place < DecimalSuffixes.Length - 1 && magnitude % 1000 == 0)
        {
            magnitude /= 1000;
            place++;
        }

        string suffix = Format != QuantityFormat.DecimalExponent ? DecimalSuffixes[place] : place == 3 ? "" : "e" + ((place - 3) * 3);
        return sign + magnitude + suffix;
    }
}
