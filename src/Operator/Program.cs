using System.CommandLine;
using OptiInfra.Operator;

// The production executable, two verbs: `operator` (the control loop) and `sync` (the sidecar of Prometheus).
// Every option is a flag and an environment variable; CommandLineOptions.cs has them all.
RootCommand root = new("OptiInfra in the cluster: the operator and the sidecar of Prometheus.")
{
    CommandLineOptions.Operator(),
    CommandLineOptions.Sync(),
};
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(40) });
