using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Text.RegularExpressions;

namespace OptiInfra.ApiServer.Schema;

/// <summary>The string formats that a schema may ask for; a format that is not listed here is not checked, as in the real server.</summary>
internal static partial class Formats
{
    private static readonly Dictionary<string, Func<string, bool>> Checks = new(StringComparer.Ordinal)
    {
        ["date-time"] = static text => TryDateTime(text, out _),
        ["date"] = static text => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        ["byte"] = static text => text.Length > 0 && text.Length % 4 == 0 && FirstBadBase64(text) < 0,
        ["uuid"] = static text => Uuid().IsMatch(text),
        ["uuid3"] = static text => Uuid().IsMatch(text) && VersionOf(text) == '3',
        ["uuid4"] = static text => Uuid().IsMatch(text) && VersionOf(text) == '4',
        ["uuid5"] = static text => Uuid().IsMatch(text) && VersionOf(text) == '5',
        ["email"] = static text => MailAddress.TryCreate(text, out MailAddress? address) && address.Address == text,
        ["hostname"] = static text => text.Length is > 0 and <= 255 && Hostname().IsMatch(text),
        ["ipv4"] = static text => IPAddress.TryParse(text, out IPAddress? ip) && !text.Contains(':') && text.Count(static c => c == '.') == 3 && ip is not null,
        ["ipv6"] = static text => text.Contains(':') && IPAddress.TryParse(text, out _),
        ["cidr"] = IsCidr,
        ["mac"] = static text => Mac().IsMatch(text),
        ["uri"] = static text => Uri.TryCreate(text, UriKind.Absolute, out _) || text.StartsWith('/'),
        ["duration"] = static text => Duration().IsMatch(text) || Words().IsMatch(text),
        ["isbn"] = static text => Isbn().IsMatch(text),
        ["isbn10"] = static text => Isbn().IsMatch(text) && text.Count(char.IsAsciiLetterOrDigit) == 10,
        ["isbn13"] = static text => Isbn().IsMatch(text) && text.Count(char.IsAsciiLetterOrDigit) == 13,
        ["creditcard"] = static text => Card().IsMatch(text),
        ["ssn"] = static text => Ssn().IsMatch(text),
        ["hexcolor"] = static text => HexColor().IsMatch(text),
        ["rgbcolor"] = static text => RgbColor().IsMatch(text),
        ["bsonobjectid"] = static text => text.Length == 24 && text.All(char.IsAsciiHexDigit),
        ["password"] = static _ => true,
        ["k8s-short-name"] = static text => text.Length <= 63 && ShortName().IsMatch(text),
        ["k8s-long-name"] = static text => text.Length <= 253 && LongName().IsMatch(text),
    };

    [GeneratedRegex("^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$")]
    private static partial Regex Uuid();

    [GeneratedRegex(@"^([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*\.?$")]
    private static partial Regex Hostname();

    [GeneratedRegex("^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$")]
    private static partial Regex Mac();

    [GeneratedRegex(@"^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$")]
    private static partial Regex Duration();

    // Durations in words: a number and a unit from nanoseconds to weeks.
    [GeneratedRegex(@"^\d+ ?(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$", RegexOptions.IgnoreCase)]
    private static partial Regex Words();

    [GeneratedRegex(@"^(?:\d[- ]?){9,12}[\dxX]$")]
    private static partial Regex Isbn();

    [GeneratedRegex(@"^(?:\d[ -]?){13,16}$")]
    private static partial Regex Card();

    [GeneratedRegex(@"^\d{3}[- ]?\d{2}[- ]?\d{4}$")]
    private static partial Regex Ssn();

    [GeneratedRegex("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]
    private static partial Regex HexColor();

    [GeneratedRegex(@"^rgb\(\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*\)$")]
    private static partial Regex RgbColor();

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex ShortName();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    private static partial Regex LongName();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")]
    private static partial Regex DateTimeSyntax();

    /// <summary>Whether the text has the format; true for formats nobody checks.</summary>
    public static bool Matches(string format, string text) => !Checks.TryGetValue(format, out Func<string, bool>? check) || check(text);

    public static bool TryDateTime(string text, out DateTimeOffset time)
    {
        time = default;
        return DateTimeSyntax().IsMatch(text) && DateTimeOffset.TryParse(text.ToUpperInvariant(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    public static bool IsCidr(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && IPAddress.TryParse(text.AsSpan(0, slash), out IPAddress? ip)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int bits)
            && bits <= (ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128);
    }

    /// <summary>Position of the first character that is wrong in standard base64, or -1.</summary>
    public static int FirstBadBase64(string text)
    {
        int padding = text.Length - text.TrimEnd('=').Length;
        for (int i = 0; i < text.Length - padding; i++)
        {
            if (!char.IsAsciiLetterOrDigit(text[i]) && text[i] is not ('+' or '/'))
            {
                return i;
            }
        }

        int digits = text.Length - padding;
        return text.Length % 4 == 0 && padding <= 2 ? -1 : digits % 4 == 0 ? digits : digits - (digits % 4) is var block && padding == 0 ? block : digits;
    }

    private static char VersionOf(string uuid) => uuid.Replace("-", "", StringComparison.Ordinal)[12];
}
