namespace OptiInfra.Operator.Prometheus;

/// <summary>Prometheus could not do what we asked. Three cases, each with its own answer; see <see cref="PrometheusApi"/>.</summary>
internal abstract class PrometheusException(string message, Exception? inner) : Exception(message, inner);

/// <summary>Nobody answers, or not in time: ask again later.</summary>
internal sealed class PrometheusUnreachableException(string message, Exception? inner) : PrometheusException(message, inner);

/// <summary>The server understood and said no; asking again unchanged is useless.</summary>
internal sealed class PrometheusRefusedException(int statusCode, string reason)
    : PrometheusException($"Prometheus refused ({statusCode}): {reason}", null)
{
    public int StatusCode { get; } = statusCode;

    /// <summary>The server's own words.</summary>
    public string Reason { get; } = reason;
}

/// <summary>Something answers that is not Prometheus.</summary>
internal sealed class PrometheusProtocolException(string message, Exception? inner) : PrometheusException(message, inner);
