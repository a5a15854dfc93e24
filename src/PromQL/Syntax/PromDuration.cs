using System.Globalization;
using System.Text;

namespace OptiInfra.PromQL.Syntax;

/// <summary>A span of time as Prometheus keeps it: whole nanoseconds in 64 bits, about ±292 years.</summary>
public readonly record struct PromDuration(long Nanoseconds) : IComparable<PromDuration>
{
    public static readonly PromDuration Zero;

    /// <summary>Units from the greatest to the smallest: a duration names each at most once, in this order.</summary>
    private static readonly (string Name, ulong Nanoseconds)[] Units =
    [
        ("y", 365UL * 24 * 3600 * 1_000_000_000),
        ("w", 7UL * 24 * 3600 * 1_000_000_000),
        ("d", 24UL * 3600 * 1_000_000_000),
        ("h", 3600UL * 1_000_000_000),
        ("m", 60UL * 1_000_000_000),
        ("s", 1_000_000_000UL),
        ("ms", 1_000_000UL),
    ];

    public long Milliseconds => Nanoseconds / 1_000_000;

    public double Seconds => Nanoseconds / 1e9;

    public static PromDuration FromMilliseconds(long milliseconds) => new(milliseconds * 1_000_000);

    /// <summary>Rounds to the nearest nanosecond, half away from zero. The caller has checked the range.</summary>
    public static PromDuration FromSeconds(double seconds) => new((long)Math.Round(seconds * 1e9, MidpointRounding.AwayFromZero));

    /// <summary>Reads <c>1h30m</c> and the like; <paramref name="error"/> says what is wrong when it is not one.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out PromDuration duration, out string error)
    {
        duration = default;
        error = "";
        if (text is "0")
        {
            return true;
        }
        if (text.IsEmpty)
        {
            error = "empty duration string";
            return false;
        }
        ulong total = 0;
        int nextUnit = 0;
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0)
            {
                error = $"not a valid duration string: \"{text}\"";
                return false;
            }
            ReadOnlySpan<char> number = rest[..digits];
            rest = rest[digits..];
            int letters = rest.IndexOfAnyInRange('0', '9');
            ReadOnlySpan<char> unit = letters < 0 ? rest : rest[..letters];
            rest = rest[unit.Length..];
            int index = UnitIndex(unit);
            if (index < nextUnit)
            {
                error = index < 0 ? $"unknown unit \"{unit}\" in duration \"{text}\"" : $"not a valid duration string: \"{text}\"";
                return false;
            }
            nextUnit = index + 1;
            ulong multiplier = Units[index].Nanoseconds;
            if (!ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) || value > (1UL << 63) / multiplier)
            {
                error = "duration out of range";
                return false;
            }
            total += value * multiplier;
            if (total > long.MaxValue)
            {
                error = "duration out of range";
                return false;
            }
        }
        duration = new PromDuration((long)total);
        return true;
    }

    public static PromDuration operator -(PromDuration value) => new(-value.Nanoseconds);

    public static PromDuration operator +(PromDuration left, PromDuration right) => new(left.Nanoseconds + right.Nanoseconds);

    public static PromDuration operator -(PromDuration left, PromDuration right) => new(left.Nanoseconds - right.Nanoseconds);

    public static bool operator <(PromDuration left, PromDuration right) => left.Nanoseconds < right.Nanoseconds;

    public static bool operator >(PromDuration left, PromDuration right) => left.Nanoseconds > right.Nanoseconds;

    public static bool operator <=(PromDuration left, PromDuration right) => left.Nanoseconds <= right.Nanoseconds;

    public static bool operator >=(PromDuration left, PromDuration right) => left.Nanoseconds >= right.Nanoseconds;

    public int CompareTo(PromDuration other) => Nanoseconds.CompareTo(other.Nanoseconds);

    /// <summary>
    /// As Prometheus prints durations, in whole milliseconds: <c>1h30m</c>. Years and weeks appear only when nothing
    /// smaller remains, because <c>90d</c> reads easier than <c>12w6d</c>.
    /// </summary>
    public override string ToString()
    {
        long ms = Milliseconds;
        if (ms == 0)
        {
            return "0s";
        }
        var text = new StringBuilder();
        if (ms < 0)
        {
            text.Append('-');
            ms = -ms;
        }
        Append("y", 1000L * 3600 * 24 * 365, exact: true);
        Append("w", 1000L * 3600 * 24 * 7, exact: true);
        Append("d", 1000L * 3600 * 24, exact: false);
        Append("h", 1000L * 3600, exact: false);
        Append("m", 1000L * 60, exact: false);
        Append("s", 1000, exact: false);
        Append("ms", 1, exact: false);
        return text.ToString();

        void Append(string unit, long size, bool exact)
        {
            if (exact && ms % size != 0)
            {
                return;
            }
            if (ms / size is > 0 and var count)
            {
                text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
                ms -= count * size;
            }
        }
    }

    private static int UnitIndex(ReadOnlySpan<char> unit)
    {
        for (int i = 0; i < Units.Length; i++)
        {
            if (unit.SequenceEqual(Units[i].Name))
            {
                return i;
            }
        }
        return -1;
    }
}
