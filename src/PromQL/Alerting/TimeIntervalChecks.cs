using System.Globalization;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Alerting;

/// <summary>Times of day, days, months and years of a time interval.</summary>
internal static class TimeIntervalChecks
{
    private static readonly string[] Days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

    private static readonly string[] Months =
        ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

    public static void Check(YamlFields fields, YamlMapping times)
    {
        foreach (YamlMapping time in (times.Find("times") as YamlSequence)?.Items.OfType<YamlMapping>() ?? [])
        {
            int? start = Minutes(time.Find("start_time")), end = Minutes(time.Find("end_time"));
            if (start is null || end is null || start >= end)
            {
                fields.Report(time, "start_time and end_time must be times of day (08:30), the start before the end");
            }
        }
        Each(fields, times, "weekdays", Weekday);
        Each(fields, times, "days_of_month", DayOfMonth);
        Each(fields, times, "months", Month);
        Each(fields, times, "years", text => Range(text, Number) is not { } range || range.Begin > range.End ? "is no range of years" : null);
        if (times.Find("location") is YamlScalar { IsNull: false } location && location.Value is not ("" or "Local") && !TimeZoneInfo.TryFindSystemTimeZoneById(location.Value, out _))
        {
            fields.Report(location, $"unknown time zone {location.Value}");
        }
    }

    private static void Each(YamlFields fields, YamlMapping times, string field, Func<string, string?> check)
    {
        foreach (YamlScalar item in (times.Find(field) as YamlSequence)?.Items.OfType<YamlScalar>() ?? [])
        {
            if (check(item.Value.ToLowerInvariant()) is { } error)
            {
                fields.Report(item, $"\"{item.Value}\" in {field} {error}");
            }
        }
    }

    private static string? Weekday(string text) =>
        Range(text, day => Array.IndexOf(Days, day) is >= 0 and var index ? index : null) is not { } range ? "is no weekday"
        : range.Begin > range.End ? "ends before it begins" : null;

    private static string? Month(string text) =>
        Range(text, month => Array.IndexOf(Months, month) is >= 0 and var index ? index + 1 : Number(month)) is not { } range ? "is no month"
        : range.Begin > range.End ? "ends before it begins" : null;

    private static string? DayOfMonth(string text)
    {
        if (Range(text, Number) is not (int begin, int end) || begin is 0 or < -31 or > 31 || end is 0 or < -31 or > 31)
        {
            return "is no day of the month";
        }
        int first = begin < 0 ? 28 + begin : begin, last = end < 0 ? 28 + end : end;
        return (begin < 0 && end > 0) || first > last ? "ends before it begins" : null;
    }

    private static (int Begin, int End)? Range(string text, Func<string, int?> member)
    {
        string[] parts = text.Split(':');
        return parts.Length > 2 || member(parts[0]) is not { } begin || member(parts[^1]) is not { } end ? null : (begin, end);
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static int? Minutes(YamlNode? node)
    {
        if (node is not YamlScalar { Value: [.., ':', _, _] text } || text.Length is < 4 or > 5
            || !int.TryParse(text[..^3], NumberStyles.None, CultureInfo.InvariantCulture, out int hour)
            || !int.TryParse(text[^2..], NumberStyles.None, CultureInfo.InvariantCulture, out int minute))
        {
            return null;
        }
        return text.Length == 5 && (hour < 24 || (hour == 24 && minute == 0)) && minute < 60 ? (hour * 60) + minute : null;
    }
}
