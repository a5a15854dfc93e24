using System.Reflection;
using System.Runtime.CompilerServices;
using OptiInfra.Compiler.Compile;

namespace OptiInfra.Compiler.Tests;

/// <summary>The compiler is a function: no task, no clock, no logger, no I/O.</summary>
public sealed class PurityTests
{
    private static readonly Assembly Compiler = typeof(AgentCompiler).Assembly;

    [Fact]
    public void No_method_returns_or_takes_a_task_and_none_is_asynchronous() =>
        Assert.Empty(Methods().Where(method => method.GetCustomAttribute<AsyncStateMachineAttribute>() is not null
            || method.GetParameters().Select(parameter => parameter.ParameterType).Append((method as MethodInfo)?.ReturnType ?? typeof(void))
                .Any(type => typeof(Task).IsAssignableFrom(type) || type == typeof(CancellationToken) || type == typeof(TimeProvider)))
            .Select(method => $"{method.DeclaringType}.{method.Name}"));

    [Fact]
    public void Nothing_that_reaches_outside_is_referenced()
    {
        string[] outside = ["System.Net.Http", "System.Net.Sockets", "System.Diagnostics.Process", "System.IO.FileSystem", "Microsoft.Extensions.Logging.Abstractions", "System.Console", "System.Threading.Channels"];

        Assert.Empty(Compiler.GetReferencedAssemblies().Select(reference => reference.Name!).Intersect(outside));
    }

    [Fact]
    public void No_state_is_kept_between_two_calls() =>
        Assert.Empty(Compiler.GetTypes().Where(type => type.GetCustomAttribute<CompilerGeneratedAttribute>() is null)
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => field is { IsInitOnly: false, IsLiteral: false } && field.GetCustomAttribute<CompilerGeneratedAttribute>() is null && !field.DeclaringType!.FullName!.Contains("Json", StringComparison.Ordinal))
            .Select(field => $"{field.DeclaringType}.{field.Name}"));

    private static IEnumerable<MethodBase> Methods() => Compiler.GetTypes().SelectMany(type =>
        type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Cast<MethodBase>()
            .Concat(type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)));
}
