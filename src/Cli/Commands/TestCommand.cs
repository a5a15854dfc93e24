using System.CommandLine;
using OptiInfra.Cli.Output;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Input;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Testing;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Cli.Commands;

/// <summary>
/// <c>optiinfra test PATH…</c>: runs rule unit tests: promtool's test files and the tests inside AlertPolicies. Of a folder, every
/// YAML file below it that holds tests. What did not come out is shown with both sides next to each other; at the end it says
/// which rules no test has touched.
/// </summary>
internal static class TestCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string[]> paths = new("path") { Description = "Test files, AlertPolicies, or folders of them.", Arity = ArgumentArity.OneOrMore };
        Option<PrometheusVersion> version = PromqlCommand.VersionOption();
        Option<bool> experimental = new("--enable-experimental") { Description = "Allow experimental functions." };
        Option<string?> run = new("--run") { Description = "Run only tests whose name contains this text." };
        Option<bool> coverage = new("--coverage") { Description = "List every rule and the tests that touch it." };
        Command command = new("test", "Run unit tests of rules on our own engine; the verdict is promtool's.") { paths, version, experimental, run, coverage };
        command.SetAction(parsed =>
        {
            ParserOptions options = new() { Version = parsed.GetValue(version), ExperimentalFunctions = parsed.GetValue(experimental) };
            return new TestRun(terminal, options, parsed.GetValue(run), parsed.GetValue(coverage)).Run(parsed.GetValue(paths)!);
        });
        return command;
    }

    private sealed class TestRun(Terminal terminal, ParserOptions options, string? only, bool listCoverage)
    {
        private readonly RuleCoverage coverage = new();
        private int passed;
        private int failed;
        private bool broken;
        private ResourceSet resources = new();

        public int Run(string[] paths)
        {
            try
            {
                string[] files = [.. paths.SelectMany(Files)];
                resources = Resources(paths);
                foreach (string path in files)
                {
                    RunFile(path);
                }
            }
            catch (IOException error)
            {
                terminal.Error.WriteLine(error.Message);
                return ExitCode.Environment;
            }

            Summarize();
            return failed > 0 || broken ? ExitCode.UserError : ExitCode.Done;
        }

        private static IEnumerable<string> Files(string path) => Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetExtension(file) is ".yml" or ".yaml")
                .Where(file => RuleTestLoader.HoldsTests(File.ReadAllText(file)))
                .Order(StringComparer.Ordinal)
            : [path];

        /// <summary>Policies, and the agents and stacks that decide what their packs become.</summary>
        private static ResourceSet Resources(string[] paths)
        {
            IEnumerable<string> files = paths.SelectMany(path => Directory.Exists(path)
                ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".yml" or ".yaml")
                : [path]);
            return ResourceReader.Read([.. files.Select(file => (file, File.ReadAllText(file)))
                .Where(file => file.Item2.Contains($"apiVersion: {OptiResources.Group}/", StringComparison.Ordinal))]);
        }

        /// <summary>A policy's rules are what the compiler makes of it, packs included; where it cannot, its own groups have to do.</summary>
        private LoadedRuleTests Compiled(LoadedRuleTests loaded)
        {
            AlertPolicy? policy = resources.Policies.Select(one => one.Resource)
                .FirstOrDefault(one => $"{one.Metadata.Namespace ?? "default"}/{one.Metadata.Name}" == loaded.Policy);
            if (policy is null || policy.Spec.Packs is not { Count: > 0 })
            {
                return loaded;
            }

            StackModel stack = resources.Stacks is [var one, ..] ? StackModel.From(one.Resource) : StackModel.Default;
            IEnumerable<OptiAgent> agents = resources.Agents.Select(agent => agent.Resource).Where(agent => agent.Metadata.Namespace == policy.Metadata.Namespace);
            (string text, IReadOnlyList<Diagnostic> problems) = PolicyCompiler.RulesForTests(policy, agents, stack);
            return loaded with { Rules = [RuleFile.Parse(text, options, loaded.Name)], Diagnostics = [.. loaded.Diagnostics, .. problems] };
        }

        private void RunFile(string path)
        {
            foreach (LoadedRuleTests loaded in RuleTestLoader.LoadAll(path, options).Select(Compiled))
            {
                foreach (Diagnostic diagnostic in loaded.Diagnostics)
                {
                    terminal.Error.WriteLine(diagnostic);
                }

                if (!loaded.IsValid)
                {
                    broken = true;
                    continue;
                }

                RuleTestFile file = only is null ? loaded.File
                    : loaded.File with { Tests = [.. loaded.File.Tests.Where(test => test.Name.Contains(only, StringComparison.OrdinalIgnoreCase))] };
                coverage.Add(loaded.Rules, file.Tests, options);
                foreach (RuleTestResult result in RuleTestRunner.Run(file, loaded.Rules, options))
                {
                    Report(loaded.Name, result);
                }
            }
        }

        private void Report(string source, RuleTestResult result)
        {
            if (result.IsPassed)
            {
                passed++;
                terminal.Out.WriteLine($"ok    {source}: {result.Name}");
                return;
            }

            failed++;
            terminal.Out.WriteLine($"FAIL  {source}: {result.Name}");
            foreach (RuleTestFailure failure in result.Failures)
            {
                terminal.Out.WriteLine($"      {(failure.Position.IsKnown ? $"{source}:{failure.Position}: " : "")}{failure.What}");
                if (failure.Error is not null)
                {
                    terminal.Out.WriteLine($"        {failure.Error}");
                    continue;
                }

                foreach (string line in SideBySide.Lines(failure.Expected, failure.Actual, terminal.Screen.Profile.Width - 8))
                {
                    terminal.Out.WriteLine("        " + line);
                }
            }
        }

        private void Summarize()
        {
            IReadOnlyList<RuleCoverage.Entry> rules = coverage.Entries;
            foreach (RuleCoverage.Entry rule in rules)
            {
                if (listCoverage)
                {
                    terminal.Out.WriteLine($"{(rule.Tests.Count > 0 ? "tested  " : "untested")}  {rule.Name}  {string.Join(", ", rule.Tests)}");
                }
                else if (rule.Tests.Count == 0)
                {
                    terminal.Out.WriteLine($"untested  {rule.Name}  {rule.Place}");
                }
            }

            terminal.Out.WriteLine($"{passed} passed, {failed} failed; {rules.Count(rule => rule.Tests.Count > 0)} of {rules.Count} rules tested");
        }
    }
}
