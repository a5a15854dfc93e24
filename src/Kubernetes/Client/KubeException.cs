using System.Net;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

/// <summary>
/// What can go wrong between us and a cluster; the environment's failures, all of which a caller may retry later.
/// The family is closed: the server said no (<see cref="KubeApiException"/>), it could not be reached
/// (<see cref="KubeTransportException"/>), it said something we cannot read (<see cref="KubeFormatException"/>), or we do
/// not know how to reach it (<see cref="KubeConfigException"/>).
/// </summary>
public abstract class KubeException : Exception
{
    private protected KubeException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>The server answered with an error, or a watch delivered one.</summary>
public sealed class KubeApiException : KubeException
{
    internal KubeApiException(HttpStatusCode code, KubeStatus? status, string message, TimeSpan? retryAfter = null)
        : base(message)
    {
        Code = code;
        Status = status;
        RetryAfter = retryAfter ?? (status?.Details?.RetryAfterSeconds is int seconds ? TimeSpan.FromSeconds(seconds) : null);
    }

    public HttpStatusCode Code { get; }

    public KubeStatus? Status { get; }

    /// <summary>The machine-readable reason, such as <c>AlreadyExists</c>; empty when the answer carried none.</summary>
    public string Reason => Status?.Reason ?? "";

    public TimeSpan? RetryAfter { get; }

    public IReadOnlyList<KubeStatusCause> Causes => Status?.Details?.Causes ?? [];

    public bool IsNotFound => Code == HttpStatusCode.NotFound;

    public bool IsAlreadyExists => Reason == "AlreadyExists";

    /// <summary>Somebody else wrote in between, or owns the fields that we wanted to apply.</summary>
    public bool IsConflict => Code == HttpStatusCode.Conflict && !IsAlreadyExists;

    public bool IsForbidden => Code == HttpStatusCode.Forbidden;

    public bool IsInvalid => Code == HttpStatusCode.UnprocessableEntity;

    /// <summary>Our resourceVersion or continue token is too old: list again.</summary>
    public bool IsExpired => Code == HttpStatusCode.Gone || Reason is "Expired" or "Gone";

    /// <summary>Our resourceVersion is from the server's future (it was restored, or we talk to a lagging one).</summary>
    public bool IsTooLargeResourceVersion =>
        Causes.Any(cause => cause.Reason == "ResourceVersionTooLarge")
        || (Code == HttpStatusCode.GatewayTimeout && Message.Contains("Too large resource version", StringComparison.Ordinal));

    public bool IsTooManyRequests => Code == HttpStatusCode.TooManyRequests;

    public bool IsInternalError => Reason == "InternalError";
}

/// <summary>The server could not be reached, hung up, or did not answer in time.</summary>
public sealed class KubeTransportException : KubeException
{
    internal KubeTransportException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Nobody listens there: the server is down or restarting, so what we know of it is still true.</summary>
    public bool IsConnectionRefused { get; init; }
}

/// <summary>The server answered, but not in the way the API promises.</summary>
public sealed class KubeFormatException : KubeException
{
    internal KubeFormatException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>The kubeconfig, the service account or a credential plugin is wrong; the message says where and what to do.</summary>
public sealed class KubeConfigException : KubeException
{
    internal KubeConfigException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
