using System.Globalization;

namespace OptiInfra.ApiServer.Faults;

/// <summary>
/// Reads faults as they are written on a command line: <c>latency=50ms</c>, <c>error=500:0.01</c>, <c>429=0.05</c>,
/// <c>410=0.01</c>, <c>goaway=0.1</c>, <c>cut=0.01</c>, <c>drop-watch=30s</c>, <c>black-hole=0.1</c>.
/// </summary>
public static class ChaosText
{
    /// <summary>The fault, or why the text is none.</summary>
    public static (Fault? Fault, string? Error) Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split('=', 2);
        string value = parts.Length > 1 ? parts[1] : "";
        string[] values = value.Split(':');
        return parts[0] switch
        {
            "latency" when TryDuration(values[0], out TimeSpan delay) && TryChance(values, 1, out double chance) =>
                (new Fault(FaultKind.Latency) { Delay = delay, Probability = chance }, null),
            "error" when int.TryParse(values[0], out int status) && status is >= 400 and < 600 && TryChance(values, 1, out double chance) =>
                (new Fault(FaultKind.Error) { Status = status, Probability = chance }, null),
            "429" or "410" or "500" or "503" when TryChance(values, 0, out double chance) =>
                (new Fault(FaultKind.Error) { Status = int.Parse(parts[0]), Probability = chance }, null),
            "goaway" when TryChance(values, 0, out double chance) => (new Fault(FaultKind.GoAway) { Probability = chance }, null),
            "cut" when TryChance(values, 0, out double chance) => (new Fault(FaultKind.Cut) { Probability = chance }, null),
            "drop-watch" when TryDuration(values[0], out TimeSpan after) && TryChance(values, 1, out double chance) =>
                (new Fault(FaultKind.DropWatch) { Delay = after, Probability = chance }, null),
            "black-hole" when TryChance(values, 0, out double chance) => (new Fault(FaultKind.BlackHoleWatch) { Probability = chance }, null),
            _ => (null, $"\"{text}\" is no fault; write latency=50ms, error=500:0.01, 429=0.05, goaway=0.1, cut=0.01, drop-watch=30s or black-hole=0.1"),
        };
    }

    private static bool TryChance(string[] values, int at, out double chance)
    {
        chance = 1;
        return at >= values.Length || values[at].Length == 0
            || double.TryParse(values[at], NumberStyles.Float, CultureInfo.InvariantCulture, out chance) && chance is >= 0 and <= 1;
    }

    private static bool TryDuration(string text, out TimeSpan duration)
    {
        (string number, double unit) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (text[..^2], 0.001),
            _ when text.EndsWith('s') => (text[..^1], 1),
            _ when text.EndsWith('m') => (text[..^1], 60),
            _ => ("", 0),
        };
        bool read = double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double count) && count >= 0;
        duration = read ? TimeSpan.FromSeconds(count * unit) : default;
        return read;
    }
}
