using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using OptiInfra.Compiler.Model;

namespace OptiInfra.Operator.Sync;

/// <summary>
/// The folder that Prometheus reads, never seen half written:
/// <code>
/// current -> generations/7        what --config.file points into
/// generations/7/prometheus.yml, scrape/, rules/
/// generations/7/targets -> ../../targets, secrets -> ../../secrets
/// targets/, secrets/              stable folders; their files are replaced one by one
/// </code>
/// A new set of files is written into a new generation, then <c>current</c> is renamed over, which is atomic. Targets lie
/// outside, because Prometheus watches their folder itself and needs no reload for them.
/// </summary>
internal sealed class GenerationDirectory
{
    private const string Generations = "generations";

    private static readonly string[] StableFolders = [Contract.TargetsDirectory, Contract.SecretsDirectory];

    private readonly string root;
    private long number;

    public GenerationDirectory(string root)
    {
        this.root = Path.GetFullPath(root);
        foreach (string folder in StableFolders.Append(Generations))
        {
            Directory.CreateDirectory(Path.Combine(this.root, folder));
        }

        number = GenerationNumbers().DefaultIfEmpty(0).Max();
        Current = Read();
    }

    /// <summary>Where Prometheus' <c>--config.file</c> points.</summary>
    public string ConfigFile => Path.Combine(root, "current", Contract.ConfigFile);

    public string Targets => Path.Combine(root, Contract.TargetsDirectory);

    public string Secrets => Path.Combine(root, Contract.SecretsDirectory);

    /// <summary>The set of files that <c>current</c> holds, by path relative to it.</summary>
    public ImmutableSortedDictionary<string, string> Current { get; private set; }

    /// <summary>Makes a set of files the current one. On failure the old one stays.</summary>
    public void Write(ImmutableSortedDictionary<string, string> files)
    {
        long next = number + 1;
        string folder = Path.Combine(root, Generations, next.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(folder);
        foreach (string stable in StableFolders)
        {
            File.CreateSymbolicLink(Path.Combine(folder, stable), Path.Combine("..", "..", stable));
        }

        foreach ((string path, string text) in files)
        {
            string file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        string link = Path.Combine(root, "current");
        string fresh = $"{link}.{next}";
        File.CreateSymbolicLink(fresh, Path.Combine(Generations, next.ToString(CultureInfo.InvariantCulture)));
        if (Rename(fresh, link) != 0)
        {
            throw new IOException($"cannot replace {link}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        number = next;
        Current = files;
        foreach (long old in GenerationNumbers().Where(old => old < next).ToArray())
        {
            Directory.Delete(Path.Combine(root, Generations, old.ToString(CultureInfo.InvariantCulture)), recursive: true);
        }
    }

    /// <summary>Replaces one file of a stable folder in one step; the name before the step matches no pattern of ours.</summary>
    public static void ReplaceFile(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string fresh = path + ".new";
        File.WriteAllText(fresh, text);
        File.Move(fresh, path, overwrite: true);
    }

    private ImmutableSortedDictionary<string, string> Read()
    {
        string current = Path.Combine(root, "current");
        ImmutableSortedDictionary<string, string>.Builder files = NoFiles.ToBuilder();
        if (File.Exists(Path.Combine(current, Contract.ConfigFile)))
        {
            files[Contract.ConfigFile] = File.ReadAllText(Path.Combine(current, Contract.ConfigFile));
        }

        foreach (string folder in (string[])[Contract.ScrapeDirectory, Contract.RulesDirectory])
        {
            DirectoryInfo directory = new(Path.Combine(current, folder));
            foreach (FileInfo file in directory.Exists ? directory.EnumerateFiles() : [])
            {
                files[$"{folder}/{file.Name}"] = File.ReadAllText(file.FullName);
            }
        }

        return files.ToImmutable();
    }

    public static ImmutableSortedDictionary<string, string> NoFiles { get; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    private IEnumerable<long> GenerationNumbers() =>
        new DirectoryInfo(Path.Combine(root, Generations)).EnumerateDirectories()
            .Select(folder => long.TryParse(folder.Name, out long parsed) ? parsed : 0);

    // File.Move refuses a link to a folder; rename(2) replaces one link by another atomically.
    [DllImport("libc", EntryPoint = "rename", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Rename([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);
}
