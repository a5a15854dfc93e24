using System.Security.Cryptography;
using System.Text;

namespace OptiInfra.Compiler.Model;

/// <summary>Names and hashes that are the same in every process, on every run.</summary>
public static class Naming
{
    private const int MaxNameLength = 63;

    /// <summary>The key of an agent or a policy inside its ConfigMap, and its file name.</summary>
    public static string Key(string ns, string name) => $"{ns}.{name}.yml";

    /// <summary>The <c>job</c> label of an agent.</summary>
    public static string Job(string ns, string agent) => $"{ns}/{agent}";

    /// <summary>The <c>job</c> label of an agent's exporter.</summary>
    public static string Job(string ns, string agent, string exporter) => $"{ns}/{agent}/{exporter}";

    /// <summary>The object name of a stack's artifact: <c>optiinfra-default-rules-b0</c>.</summary>
    public static string StackObject(string stack, string artifact, string? bucket = null) =>
        Bounded(bucket is null ? $"optiinfra-{stack}-{artifact}" : $"optiinfra-{stack}-{artifact}-{bucket}");

    /// <summary>
    /// The object name of an agent's part (an exporter, a dashboard). Both names may contain dashes, so that
    /// "a-b" + "c" and "a" + "b-c" would meet; a part with a dash therefore carries a hash.
    /// </summary>
    public static string AgentObject(string agent, string part)
    {
        string name = $"{agent}-{part}";
        return part.Contains('-', StringComparison.Ordinal) ? Bounded($"{name}-{Hash($"{agent}/{part}", 6)}") : Bounded(name);
    }

    /// <summary>A name of at most 63 characters; a longer one keeps its start and ends in a hash of the whole.</summary>
    public static string Bounded(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length <= MaxNameLength ? name : $"{name.AsSpan(0, MaxNameLength - 9).TrimEnd("-.")}-{Hash(name, 8)}";
    }

    /// <summary>The first hexadecimal digits of the text's SHA-256.</summary>
    public static string Hash(string text, int digits = 16)
    {
        ArgumentNullException.ThrowIfNull(text);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return Convert.ToHexStringLower(hash[..((digits + 1) / 2)])[..digits];
    }

    /// <summary>The file that holds one key of a Secret, in the directory of secrets. The namespace is part of it: a Secret serves its own namespace only.</summary>
    public static string SecretFile(string ns, string secret, string key)
    {
        string name = $"{ns}.{secret}.{key}";
        return name.Length <= 200 ? name : $"{ns}.{Hash(name, 32)}";
    }

    /// <summary>A Kubernetes label, annotation or port name as Prometheus' discovery spells it.</summary>
    public static string MetaLabel(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return string.Create(name.Length, name, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
            }
        });
    }
}
