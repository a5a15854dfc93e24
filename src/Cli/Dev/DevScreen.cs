using System.Diagnostics;
using OptiInfra.Cli.Output;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using Spectre.Console;

namespace OptiInfra.Cli.Dev;

/// <summary>
/// What <c>dev</c> shows: once, what runs where; then, how far every agent and policy is. On a terminal the table moves,
/// elsewhere every change is a line.
/// </summary>
internal sealed class DevScreen(Terminal terminal, DevCluster cluster, long started)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<string, Row> shown = [];
    private bool announced;

    public void PrintHead()
    {
        TextTable table = new("WHAT", "WHERE", "");
        table.Add("API server", cluster.Api.AbsoluteUri, "");
        table.Add("Prometheus", cluster.Prometheus?.AbsoluteUri ?? "not running", cluster.Prometheus is not null ? $"version {cluster.PrometheusTool!.Version}" : Missing());
        foreach (FleetMember member in cluster.Fleet?.Members ?? [])
        {
            table.Add(member.Name, member.Url.AbsoluteUri, $"the demo fleet's {member.Role}");
        }

        terminal.Out.WriteLine();
        table.Write(terminal.Out);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"export KUBECONFIG={cluster.KubeconfigPath}");
        terminal.Out.WriteLine("kubectl get optiagents,alertpolicies -A");
        terminal.Out.WriteLine();
        foreach (string problem in cluster.Problems)
        {
            terminal.Error.WriteLine($"not applied: {problem}");
        }
    }

    /// <summary>Follows the statuses until stopped, or (once) until everything is ready.</summary>
    public async Task FollowAsync(bool once, CancellationToken stop)
    {
        if (!terminal.Interactive)
        {
            await LoopAsync(once, rows => PrintChanges(rows), stop);
            return;
        }

        await terminal.Screen.Live(new Text("")).StartAsync(context => LoopAsync(once, rows =>
        {
            context.UpdateTarget(Picture(rows));
            context.Refresh();
        }, stop));
    }

    private async Task LoopAsync(bool once, Action<List<Row>> show, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                List<Row> rows = await ReadAsync(stop);
                show(rows);
                Announce(rows);
                if (once && announced)
                {
                    return;
                }

                await Task.WhenAny(cluster.Failure, Task.Delay(Beat, TimeProvider.System, stop));
                if (cluster.Failure.IsFaulted)
                {
                    await cluster.Failure;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private async Task<List<Row>> ReadAsync(CancellationToken stop)
    {
        List<Row> rows = [];
        foreach (OptiAgent agent in (await cluster.Client.ListAsync(OptiResources.Agents, null, null, stop)).Items)
        {
            rows.Add(new Row("agent", ObjectKey.Of(agent).ToString(), agent.Status?.Summary ?? "-", Ready(agent.Status?.Conditions), Why(agent.Status?.Conditions)));
        }

        foreach (AlertPolicy policy in (await cluster.Client.ListAsync(OptiResources.Policies, null, null, stop)).Items)
        {
            rows.Add(new Row("policy", ObjectKey.Of(policy).ToString(), policy.Status?.Summary ?? "-", Ready(policy.Status?.Conditions), Why(policy.Status?.Conditions)));
        }

        return rows;
    }

    private void Announce(List<Row> rows)
    {
        if (announced || rows.Count == 0 || cluster.Prometheus is null || rows.Any(row => row.IsReady != Condition.True))
        {
            return;
        }

        announced = true;
        terminal.Out.WriteLine($"everything is up after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s; Ctrl-C stops it all");
        if (cluster.Fleet is { } fleet)
        {
            terminal.Out.WriteLine($"make an agent misbehave: curl -X POST '{fleet.Members[0].Url}misbehave?errors=1&latency=2s'");
        }
    }

    private void PrintChanges(List<Row> rows)
    {
        foreach (Row row in rows.Where(row => shown.GetValueOrDefault(row.Name + row.Kind) != row))
        {
            shown[row.Name + row.Kind] = row;
            terminal.Out.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalSeconds,6:0.0}s {row.Kind,-6} {row.Name,-32} {row.Summary,-22} ready={row.IsReady} {row.Why}".TrimEnd());
        }
    }

    private static Table Picture(List<Row> rows)
    {
        Table table = new Table().Border(TableBorder.None).AddColumns("RESOURCE", "STATE", "READY", "WHY");
        foreach (Row row in rows)
        {
            string colour = row.IsReady switch { Condition.True => "green", Condition.False => "red", _ => "yellow" };
            table.AddRow(Markup.Escape($"{row.Kind} {row.Name}"), Markup.Escape(row.Summary), $"[{colour}]{row.IsReady}[/]", Markup.Escape(row.Why));
        }

        return table;
    }

    private string Missing() => cluster.PrometheusTool is { } old
        ? $"{old.Path} is {old.Version}; {Toolbox.OldestPrometheus} or newer is needed: {Toolbox.InstallHint}"
        : $"no prometheus on this machine: {Toolbox.InstallHint}";

    private static string Ready(IReadOnlyList<Condition>? conditions) => Conditions.Find(conditions, ConditionTypes.Ready)?.Status ?? Condition.Unknown;

    private static string Why(IReadOnlyList<Condition>? conditions) =>
        Conditions.Find(conditions, ConditionTypes.Ready) is { Status: not Condition.True } ready ? ready.Message : "";

    private sealed record Row(string Kind, string Name, string Summary, string IsReady, string Why);
}
