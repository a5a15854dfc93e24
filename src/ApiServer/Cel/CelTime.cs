using System.Globalization;
using System.Text.RegularExpressions;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>Times and durations as expressions write and read them.</summary>
internal static partial class CelTime
{
    [GeneratedRegex(@"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")]
    private static partial Regex Parts();

    [GeneratedRegex(@"^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$")]
    private static partial Regex Syntax();

    public static bool TryTimestamp(string text, out DateTimeOffset time) => Formats.TryDateTime(text, out time)
        || DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is "0")
        {
            return true;
        }

        if (!Syntax().IsMatch(text))
        {
            return false;
        }

        decimal ticks = 0;
        foreach (Match part in Parts().Matches(text))
        {
            decimal unit = part.Groups[2].Value switch { "ns" => 0.01m, "us" or "µs" => 10, "ms" => TimeSpan.TicksPerMillisecond, "s" => TimeSpan.TicksPerSecond, "m" => TimeSpan.TicksPerMinute, _ => TimeSpan.TicksPerHour };
            ticks += decimal.Parse(part.Groups[1].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * unit;
        }

        if (ticks > long.MaxValue)
        {
            return false;
        }

        duration = TimeSpan.FromTicks(text[0] == '-' ? -(long)ticks : (long)ticks);
        return true;
    }

    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    public static string Text(TimeSpan duration) => (duration.Ticks / (decimal)TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture) + "s";

    /// <summary>A part of a time in a zone (a name, or an offset such as +02:00).</summary>
    public static long Part(string name, DateTimeOffset time, string zone)
    {
        DateTimeOffset local = InZone(time, zone);
        return name switch
        {
            "getFullYear" => local.Year,
            "getMonth" => local.Month - 1,
            "getDayOfMonth" => local.Day - 1,
            "getDate" => local.Day,
            "getDayOfWeek" => (long)local.DayOfWeek,
            "getDayOfYear" => local.DayOfYear - 1,
            "getHours" => local.Hour,
            "getMinutes" => local.Minute,
            "getSeconds" => local.Second,
            _ => local.Millisecond,
        };
    }

    private static DateTimeOffset InZone(DateTimeOffset time, string zone)
    {
        if (zone is "" or "UTC" or "Z")
        {
            return time.ToUniversalTime();
        }

        if (TimeSpan.TryParseExact(zone.TrimStart('+', '-'), "hh\\:mm", CultureInfo.InvariantCulture, out TimeSpan offset))
        {
            return time.ToOffset(zone[0] == '-' ? -offset : offset);
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(zone, out TimeZoneInfo? found) ? TimeZoneInfo.ConvertTime(time, found) : throw new CelException("unknown time zone " + zone);
    }

    public static long Part(string name, TimeSpan duration) => name switch
    {
        "getHours" => (long)duration.TotalHours,
        "getMinutes" => (long)duration.TotalMinutes,
        "getSeconds" => (long)duration.TotalSeconds,
        _ => duration.Milliseconds,
    };
}
