using System.Collections.Immutable;
using System.CommandLine;
using OptiInfra.Cli.Output;
using OptiInfra.PromQL.Alerting;
using OptiInfra.PromQL.Lint;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Cli.Commands;

/// <summary>
/// <c>optiinfra lint PATH…</c>: rule files, resources that carry rules, and Alertmanager configurations, read from files, folders or standard input (<c>-</c>).
/// Ends with 1 when there are errors (with <c>--fail-on warning</c> also for warnings).
/// </summary>
internal static class LintCommand
{
    private static readonly Argument<string[]> Paths = new("path") { Description = "Files or folders with rules; - reads standard input.", Arity = ArgumentArity.OneOrMore };

    private static readonly Option<FindingFormat> Format = new("--format", "-f") { Description = "How to print: text, json, sarif or github." };

    private static readonly Option<Severity> FailOn = new("--fail-on") { Description = "The least severity that fails: error, warning or info." };

    private static readonly Option<bool> Fix = new("--fix") { Description = "Repair what is mechanical, in the files." };

    private static readonly Option<bool> Experimental = new("--enable-experimental") { Description = "Allow experimental PromQL functions." };

    private static readonly Option<string?> Catalog = new("--catalog") { Description = "A folder with a metric catalogue in place of the built-in one; \"none\" for no check of names.", HelpName = "DIR" };

    private static readonly Option<string[]> Dialects = new("--dialect") { Description = "Use only these dialects of the catalogue." };

    private static readonly Option<string[]> Disabled = new("--disable") { Description = "Checks that are not run, by id." };

    private static readonly Option<string[]> ExternalLabels = new("--external-label") { Description = "Names of Prometheus' external labels." };

    private static readonly Option<PromDuration?> Retention = DurationOption("--retention", "How long Prometheus keeps samples.");

    private static readonly Option<PromDuration?> ScrapeInterval = DurationOption("--scrape-interval", "How often targets are scraped (30s).");

    private static readonly Option<PrometheusVersion> Version = PromqlCommand.VersionOption();

    public static Command Create(Terminal terminal)
    {
        Command command = new("lint", "Check alerting and recording rules.")
        {
            Paths, Format, FailOn, Fix, Version, Experimental, Catalog, Dialects, Disabled, ExternalLabels, Retention, ScrapeInterval,
        };
        command.SetAction((parsed, stop) => RunAsync(terminal, parsed, stop));
        return command;
    }

    /// <summary>The texts named by paths, folders searched for YAML; null when a path does not exist, which has then been reported.</summary>
    public static async Task<Dictionary<string, string>?> ReadAsync(Terminal terminal, string[] paths, CancellationToken stop)
    {
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in paths)
        {
            if (path == "-")
            {
                sources["<stdin>"] = await terminal.In.ReadToEndAsync(stop);
            }
            else if (Directory.Exists(path))
            {
                foreach (string file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".yaml" or ".yml").Order(StringComparer.Ordinal))
                {
                    sources[file] = await File.ReadAllTextAsync(file, stop);
                }
            }
            else if (File.Exists(path))
            {
                sources[path] = await File.ReadAllTextAsync(path, stop);
            }
            else
            {
                terminal.Fail($"{path} does not exist");
                return null;
            }
        }
        return sources;
    }

    private static async Task<int> RunAsync(Terminal terminal, System.CommandLine.ParseResult parsed, CancellationToken stop)
    {
        if (await ReadAsync(terminal, parsed.GetValue(Paths)!, stop) is not { } sources || LoadCatalog(terminal, parsed) is not { } catalog)
        {
            return ExitCode.Environment;
        }
        var parser = new ParserOptions { Version = parsed.GetValue(Version), ExperimentalFunctions = parsed.GetValue(Experimental) };
        LintOptions options = Options(parsed, catalog);
        ImmutableArray<Diagnostic> findings = LintAll(sources, parser, options);
        if (parsed.GetValue(Fix))
        {
            await FixAsync(terminal, sources, findings, stop);
            findings = LintAll(sources, parser, options);
        }
        new FindingWriter(terminal.Out, sources).Write(findings, parsed.GetValue(Format));
        Severity least = parsed.GetValue(FailOn);
        return findings.Any(finding => finding.Severity <= least) ? ExitCode.UserError : ExitCode.Done;
    }

    private static ImmutableArray<Diagnostic> LintAll(Dictionary<string, string> sources, ParserOptions parser, LintOptions options)
    {
        ILookup<bool, KeyValuePair<string, string>> byKind = sources.ToLookup(source => AlertmanagerConfig.LooksLikeOne(source.Value));
        return
        [
            .. Linter.Lint([.. byKind[false].SelectMany(source => RuleDocuments.Read(source.Value, source.Key, parser))], options),
            .. byKind[true].SelectMany(source => AlertmanagerConfig.Parse(source.Value, source.Key).Diagnostics),
        ];
    }

    private static LintOptions Options(System.CommandLine.ParseResult parsed, MetricCatalog catalog)
    {
        string[] dialects = parsed.GetValue(Dialects) ?? [];
        string[] external = parsed.GetValue(ExternalLabels) ?? [];
        var defaults = new LintOptions();
        return defaults with
        {
            Catalog = dialects.Length > 0 ? catalog.Select(dialects) : catalog,
            Disabled = [.. parsed.GetValue(Disabled) ?? []],
            ExternalLabels = [.. external],
            KnowsExternalLabels = external.Length > 0,
            Retention = parsed.GetValue(Retention),
            ScrapeInterval = parsed.GetValue(ScrapeInterval) ?? defaults.ScrapeInterval,
        };
    }

    private static MetricCatalog? LoadCatalog(Terminal terminal, System.CommandLine.ParseResult parsed)
    {
        switch (parsed.GetValue(Catalog))
        {
            case null:
                return MetricCatalog.BuiltIn;
            case "none":
                return MetricCatalog.Empty;
            case var folder when !Directory.Exists(folder):
                terminal.Fail($"there is no folder {folder}");
                return null;
            case var folder:
                (MetricCatalog catalog, ImmutableArray<Diagnostic> mistakes) =
                    MetricCatalog.Load(Directory.EnumerateFiles(folder, "*.yaml").Order(StringComparer.Ordinal).Select(file => (file, File.ReadAllText(file))));
                return terminal.Report(mistakes) == ExitCode.Done ? catalog : null;
        }
    }

    private static async Task FixAsync(Terminal terminal, Dictionary<string, string> sources, ImmutableArray<Diagnostic> findings, CancellationToken stop)
    {
        foreach (IGrouping<string, Diagnostic> inFile in findings.Where(finding => finding is { Fix: not null, Source: not null }).GroupBy(finding => finding.Source!))
        {
            (string text, int applied) = TextEdits.Apply(sources[inFile.Key], inFile.Select(finding => finding.Fix!));
            sources[inFile.Key] = text;
            if (inFile.Key == "<stdin>")
            {
                continue;
            }
            await File.WriteAllTextAsync(inFile.Key, text, stop);
            terminal.Error.WriteLine($"{inFile.Key}: {applied} fixed");
        }
    }

    private static Option<PromDuration?> DurationOption(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        CustomParser = argument =>
        {
            if (PromDuration.TryParse(argument.Tokens[0].Value, out PromDuration duration, out string error))
            {
                return duration;
            }
            argument.AddError(error);
            return null;
        },
    };
}
