using System.Globalization;

namespace OptiInfra.PromQL.Types;

/// <summary>The minor release of Prometheus whose verdict is wanted; patch releases never change the language.</summary>
public readonly record struct PrometheusVersion(int Major, int Minor) : IComparable<PrometheusVersion>
{
    public static readonly PrometheusVersion V253 = new(2, 53);
    public static readonly PrometheusVersion V30 = new(3, 0);
    public static readonly PrometheusVersion V35 = new(3, 5);
    public static readonly PrometheusVersion V314 = new(3, 14);

    /// <summary>What is assumed when nobody says: the current long-term release.</summary>
    public static PrometheusVersion Default => V35;

    /// <summary>Reads <c>3.5</c>, <c>v3.5.3</c> or <c>2.53.3+ds1</c>.</summary>
    public static bool TryParse(string text, out PrometheusVersion version)
    {
        version = default;
        string[] parts = text.TrimStart('v').Split('.', 3);
        if (parts.Length < 2
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int major)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int minor))
        {
            return false;
        }
        version = new PrometheusVersion(major, minor);
        return true;
    }

    public int CompareTo(PrometheusVersion other) =>
        Major != other.Major ? Major.CompareTo(other.Major) : Minor.CompareTo(other.Minor);

    public static bool operator <(PrometheusVersion left, PrometheusVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(PrometheusVersion left, PrometheusVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(PrometheusVersion left, PrometheusVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(PrometheusVersion left, PrometheusVersion right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Major}.{Minor}";
}
