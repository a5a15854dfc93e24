using System.Text;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Operator.Sync;

/// <summary>The credentials that jobs refer to, one file each, readable by us only. Prometheus reads them at every scrape, so a new one needs no reload.</summary>
internal sealed class SecretFolder(string folder)
{
    private const UnixFileMode OursOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Dictionary<string, string> written = [];

    public void Write(IReadOnlyList<Secret> secrets)
    {
        Dictionary<string, byte[]> wanted = [];
        foreach ((string key, byte[] value) in secrets.SelectMany(secret => secret.Data ?? new Dictionary<string, byte[]>()))
        {
            wanted[key] = value;
        }

        foreach ((string name, byte[] value) in wanted)
        {
            string text = Encoding.Latin1.GetString(value);
            if (written.GetValueOrDefault(name) == text)
            {
                continue;
            }

            string path = Path.Combine(folder, name);
            string fresh = path + ".new";
            FileStreamOptions create = new() { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                create.UnixCreateMode = OursOnly;
            }

            using (FileStream file = new(fresh, create))
            {
                file.Write(value);
            }

            File.Move(fresh, path, overwrite: true);
            written[name] = text;
        }

        foreach (string gone in Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)!).Where(name => !wanted.ContainsKey(name)).ToArray())
        {
            File.Delete(Path.Combine(folder, gone));
            written.Remove(gone);
        }
    }
}
