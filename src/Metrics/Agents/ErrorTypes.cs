using System.Net.Sockets;

namespace OptiInfra.Metrics.Agents;

/// <summary>Short, bounded names for failures, fit for a label: what kind of thing went wrong, never a message.</summary>
public static class ErrorTypes
{
    /// <summary>A scope was left without saying how it ended.</summary>
    public const string Unfinished = "unfinished";

    /// <summary>The label value of an exception. Kinds without a name of their own keep their type's name, which code bounds.</summary>
    public static string Of(Exception problem) => problem switch
    {
        AggregateException { InnerException: { } inner } => Of(inner),
        TimeoutException or TaskCanceledException { InnerException: TimeoutException } => "timeout",
        OperationCanceledException => "cancelled",
        HttpRequestException { StatusCode: { } status } => $"http_{(int)status}",
        HttpRequestException or SocketException => "connection",
        IOException => "io",
        ArgumentException or FormatException => "invalid_input",
        UnauthorizedAccessException => "unauthorized",
        _ => problem.GetType().Name,
    };
}
