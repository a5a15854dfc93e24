using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Compile;

/// <summary>Turns references to Secrets into file names, and remembers which were needed.</summary>
/// <param name="ns">The namespace whose Secrets may be used: the resource's own.</param>
/// <param name="prefix">From the directory of the file being written to that of the configuration.</param>
internal sealed class SecretFiles(string ns, string prefix = "../")
{
    private readonly SortedDictionary<string, SecretFile> _files = new(StringComparer.Ordinal);

    public IReadOnlyList<SecretFile> All => [.. _files.Values];

    /// <summary>Where the key's value will lie, relative to the file being written.</summary>
    public string Path(SecretKey key)
    {
        string file = Naming.SecretFile(ns, key.Name, key.Key);
        _files[file] = new SecretFile(ns, key.Name, key.Key, file);
        return $"{prefix}{Contract.SecretsDirectory}/{file}";
    }
}
