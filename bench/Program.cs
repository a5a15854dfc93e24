using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.Running;
using OptiInfra.Bench;
using OptiInfra.Bench.Compiler;
using OptiInfra.Bench.Kubernetes;
using OptiInfra.Bench.Metrics;
using OptiInfra.Bench.Operator;
using OptiInfra.Bench.PromQL;

// Every measurement of the product, one line a figure: what, figure, peer, ratio, budget, verdict.
//   dotnet run -c Release --project bench                all of them
//   dotnet run -c Release --project bench counter        those whose name contains "counter" (or ONLY=counter)
//   dotnet run -c Release --project bench -- --list      their names
//   dotnet run -c Release --project bench -- --bdn       instruments once more, by BenchmarkDotNet
// The exit code is 1 when a figure is over its budget. Each room adds its own list here.
Measurement[] all =
[
    .. CompilerMeasurements.All,
    .. InstrumentMeasurements.All,
    .. BridgeMeasurements.All,
    .. ScrapeMeasurements.All,
    .. RuntimeMeasurements.All,
    .. OperatorMeasurements.All,
    .. LintMeasurements.All,
];

if (args.Contains("--bdn"))
{
    BenchmarkRunner.Run<InstrumentBenchmarks>();
    return 0;
}

string only = args.FirstOrDefault(argument => !argument.StartsWith('-')) ?? Environment.GetEnvironmentVariable("ONLY") ?? "";
Measurement[] chosen = [.. all.Where(measurement => measurement.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];
if (args.Contains("--list") || chosen.Length == 0)
{
    Console.WriteLine(string.Join('\n', all.Select(measurement => measurement.Name)));
    return chosen.Length == 0 ? 2 : 0;
}

bool over = false;
Console.WriteLine($"{"what",-58} {"figure",18}  {"peer",26} {"ratio",6}  {"budget",10}");
foreach (Measurement measurement in chosen)
{
    foreach (Figure figure in await measurement.RunAsync())
    {
        over |= figure.IsOver;
        string peer = figure.Peer is { } value ? $"{Number(value)} {figure.PeerName}" : "";
        string ratio = figure.Peer is > 0 ? Number(figure.Value / figure.Peer.Value) : "";
        string budget = figure.Budget is { } limit ? $"{Number(limit)} {(figure.IsOver ? "OVER" : "ok")}" : "";
        Console.WriteLine($"{figure.What,-58} {Number(figure.Value) + " " + figure.Unit,18}  {peer,26} {ratio,6}  {budget,10}");
    }
}

Console.WriteLine($"{Environment.ProcessorCount} processors, .NET {Environment.Version}, {(Debugger.IsAttached ? "debugger attached" : "no debugger")}");
return over ? 1 : 0;

static string Number(double value) => value.ToString(Math.Abs(value) < 10 ? "0.00" : Math.Abs(value) < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);
