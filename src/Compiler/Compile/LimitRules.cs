using System.Globalization;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Compile;

/// <summary>How an agent's limits meet those of its stack.</summary>
internal static class LimitRules
{
    /// <summary>What holds: what the agent says, else the stack's default, else the stack's maximum.</summary>
    public static ScrapeLimits Effective(ScrapeLimits? agent, ScrapeLimits? defaults, ScrapeLimits? maximum)
    {
        if (defaults is null && maximum is null)
        {
            return agent ?? new ScrapeLimits();
        }

        return new ScrapeLimits
        {
            Samples = agent?.Samples ?? defaults?.Samples ?? maximum?.Samples,
            Targets = agent?.Targets ?? defaults?.Targets ?? maximum?.Targets,
            Labels = agent?.Labels ?? defaults?.Labels ?? maximum?.Labels,
            LabelNameLength = agent?.LabelNameLength ?? defaults?.LabelNameLength ?? maximum?.LabelNameLength,
            LabelValueLength = agent?.LabelValueLength ?? defaults?.LabelValueLength ?? maximum?.LabelValueLength,
            BodySize = agent?.BodySize ?? defaults?.BodySize ?? maximum?.BodySize,
        };
    }

    /// <summary>The limits that ask for more than is allowed; 0 asks for no limit at all.</summary>
    public static IEnumerable<(string Name, string Value, string Allowed)> Above(ScrapeLimits? asked, ScrapeLimits? maximum)
    {
        if (asked is null || maximum is null)
        {
            yield break;
        }

        foreach ((string name, long? value, long? most) in ((string, long?, long?)[])
        [
            ("samples", asked.Samples, maximum.Samples),
            ("targets", asked.Targets, maximum.Targets),
            ("labels", asked.Labels, maximum.Labels),
            ("labelNameLength", asked.LabelNameLength, maximum.LabelNameLength),
            ("labelValueLength", asked.LabelValueLength, maximum.LabelValueLength),
        ])
        {
            if (value is { } number && most is > 0 && (number == 0 || number > most))
            {
                yield return (name, number == 0 ? "no limit" : number.ToString(CultureInfo.InvariantCulture), most.Value.ToString(CultureInfo.InvariantCulture));
            }
        }

        if (asked.BodySize is not null && maximum.BodySize is not null && Bytes(maximum.BodySize) is > 0 and var bound && (Bytes(asked.BodySize) == 0 || Bytes(asked.BodySize) > bound))
        {
            yield return ("bodySize", asked.BodySize, maximum.BodySize);
        }
    }

    /// <summary>A size as Prometheus reads it: powers of 1024, with or without the i.</summary>
    internal static double Bytes(string size)
    {
        ReadOnlySpan<char> number = size.AsSpan().TrimEnd("BKMGTPEi");
        int power = size.Length > number.Length ? " KMGTPE".IndexOf(size[number.Length], StringComparison.Ordinal) : 0;
        return double.TryParse(number, CultureInfo.InvariantCulture, out double value) ? value * Math.Pow(1024, Math.Max(0, power)) : 0;
    }
}
