namespace OptiInfra.ApiServer.Tables;

/// <summary>Durations as kubectl shows them: two units at most, fewer the longer it is.</summary>
internal static class HumanTime
{
    public static string Since(string? timestamp, DateTimeOffset now) =>
        DateTimeOffset.TryParse(timestamp, out DateTimeOffset then) ? Duration(now - then) : "<unknown>";

    public static string Duration(TimeSpan span)
    {
        long seconds = (long)span.TotalSeconds;
        long minutes = seconds / 60;
        long hours = minutes / 60;
        long days = hours / 24;
        return seconds switch
        {
            < -1 => "<invalid>",
            < 0 => "0s",
            < 120 => $"{seconds}s",
            _ when minutes < 10 => Two(minutes, "m", seconds % 60, "s"),
            _ when minutes < 180 => $"{minutes}m",
            _ when hours < 8 => Two(hours, "h", minutes % 60, "m"),
            _ when hours < 48 => $"{hours}h",
            _ when hours < 192 => Two(days, "d", hours % 24, "h"),
            _ when days < 730 => $"{days}d",
            _ when days < 2920 => Two(days / 365, "y", days % 365, "d"),
            _ => $"{days / 365}y",
        };
    }

    private static string Two(long big, string bigUnit, long small, string smallUnit) =>
        small == 0 ? $"{big}{bigUnit}" : $"{big}{bigUnit}{small}{smallUnit}";
}
