using System.Collections.Immutable;
using OptiInfra.Compiler.Model;
using OptiInfra.Operator.Prometheus;
using FileSet = System.Collections.Immutable.ImmutableSortedDictionary<string, string>;

namespace OptiInfra.Operator.Sync;

/// <summary>What became of the files that were wanted.</summary>
internal enum LoadState
{
    /// <summary>Prometheus runs them, but for those in quarantine.</summary>
    Loaded,

    /// <summary>They are written, but Prometheus has not confirmed them: it does not answer yet.</summary>
    Unconfirmed,
}

/// <summary>A file that Prometheus refuses, with its words; what was good before stays in its place.</summary>
internal sealed record Quarantined(string Text, string Reason);

/// <summary>
/// Brings a set of files into Prometheus: write, reload, verify. When the server refuses, the culprits are found and put
/// into quarantine one by one (the file that the server names, else by halving the changes), and everything else goes
/// on: the last good text of a culprit stays in force, and no other file waits for it. A culprit is tried again when its
/// own text or the root configuration changes. In the end the folder always holds what Prometheus runs, so that a
/// restart of it finds a good configuration.
/// </summary>
internal sealed class ReloadCycle(GenerationDirectory directory, PrometheusApi prometheus)
{
    private static readonly string[] RootFiles = [Contract.ConfigFile, $"{Contract.ScrapeDirectory}/{Contract.ClassesFile}"];

    private readonly Dictionary<string, Quarantined> quarantine = [];

    private FileSet good = directory.Current;
    private bool confirmed;

    public IReadOnlyDictionary<string, Quarantined> Quarantine => quarantine;

    /// <summary>How often Prometheus was asked to reload; tests and metrics read it.</summary>
    public int Reloads { get; private set; }

    public async Task<LoadState> LoadAsync(FileSet wanted, CancellationToken stop)
    {
        ForgetOutdatedQuarantine(wanted);
        FileSet target = WithoutQuarantined(wanted);
        if (confirmed && Same(target, good))
        {
            return LoadState.Loaded;
        }

        try
        {
            if (await TryAsync(target, stop) is not { } refusal)
            {
                good = target;
            }
            else
            {
                await IsolateAsync(target, refusal, stop);
            }

            confirmed = true;
            return LoadState.Loaded;
        }
        catch (PrometheusUnreachableException)
        {
            // It may be starting, and reads what lies there; we confirm when it answers.
            confirmed = false;
            return LoadState.Unconfirmed;
        }
    }

    /// <summary>Prometheus may have restarted or been replaced: what we know of it is void.</summary>
    public void Doubt() => confirmed = false;

    private async Task IsolateAsync(FileSet target, string refusal, CancellationToken stop)
    {
        List<string> changed = [.. good.Keys.Union(target.Keys).Where(path => good.GetValueOrDefault(path) != target.GetValueOrDefault(path))];
        List<string> roots = [.. changed.Where(path => RootFiles.Contains(path))];
        FileSet basis = good;
        if (roots.Count > 0)
        {
            // Everything else is included by the root files, so these come first and stand or fall together.
            FileSet candidate = With(basis, roots, target);
            if (await TryAsync(candidate, stop) is { } rootRefusal)
            {
                roots.ForEach(path => quarantine[path] = new Quarantined(target.GetValueOrDefault(path, ""), rootRefusal));
            }
            else
            {
                basis = candidate;
            }
        }

        good = await ApplyAsync(basis, [.. changed.Except(roots)], target, refusal, stop);
        if (!Same(directory.Current, good))
        {
            await TryAsync(good, stop);
        }
    }

    /// <summary>Adds as many of the changes to the basis as Prometheus takes; the whole was refused with <paramref name="refusal"/>.</summary>
    private async Task<FileSet> ApplyAsync(FileSet basis, List<string> changes, FileSet target, string? refusal, CancellationToken stop)
    {
        if (changes.Count == 0)
        {
            return basis;
        }

        refusal ??= await TryAsync(With(basis, changes, target), stop);
        if (refusal is null)
        {
            return With(basis, changes, target);
        }

        List<string> named = [.. changes.Where(path => refusal.Contains(path, StringComparison.Ordinal))];
        if (named.Count == 0 && changes.Count == 1)
        {
            named = changes;
        }

        if (named.Count > 0)
        {
            named.ForEach(path => quarantine[path] = new Quarantined(target.GetValueOrDefault(path, ""), refusal));
            return await ApplyAsync(basis, [.. changes.Except(named)], target, null, stop);
        }

        int half = changes.Count / 2;
        FileSet first = await ApplyAsync(basis, changes[..half], target, null, stop);
        return await ApplyAsync(first, changes[half..], target, null, stop);
    }

    /// <summary>Writes the files and reloads; null when Prometheus runs them, else why not.</summary>
    private async Task<string?> TryAsync(FileSet files, CancellationToken stop)
    {
        if (!files.ContainsKey(Contract.ConfigFile))
        {
            return $"there is no {Contract.ConfigFile}";
        }

        if (!Same(directory.Current, files))
        {
            directory.Write(files);
        }

        try
        {
            Reloads++;
            await prometheus.ReloadAsync(stop);
        }
        catch (PrometheusRefusedException refused) when (refused.StatusCode == 500)
        {
            return refused.Reason;
        }

        RuntimeInfo info = await prometheus.RuntimeInfoAsync(stop);
        return info.ReloadConfigSuccess ? null : "Prometheus reports that its last reload failed";
    }

    private void ForgetOutdatedQuarantine(FileSet wanted)
    {
        bool rootChanged = RootFiles.Any(path => !quarantine.ContainsKey(path) && wanted.GetValueOrDefault(path) != good.GetValueOrDefault(path));
        foreach (string path in quarantine.Keys.ToArray())
        {
            if (rootChanged || wanted.GetValueOrDefault(path, "") != quarantine[path].Text)
            {
                quarantine.Remove(path);
            }
        }
    }

    private FileSet WithoutQuarantined(FileSet wanted)
    {
        foreach (string path in quarantine.Keys)
        {
            wanted = good.TryGetValue(path, out string? text) ? wanted.SetItem(path, text) : wanted.Remove(path);
        }

        return wanted;
    }

    private static FileSet With(FileSet basis, List<string> changes, FileSet target)
    {
        foreach (string path in changes)
        {
            basis = target.TryGetValue(path, out string? text) ? basis.SetItem(path, text) : basis.Remove(path);
        }

        return basis;
    }

    private static bool Same(FileSet left, FileSet right) =>
        ReferenceEquals(left, right) || (left.Count == right.Count && left.All(file => right.TryGetValue(file.Key, out string? text) && text == file.Value));
}
