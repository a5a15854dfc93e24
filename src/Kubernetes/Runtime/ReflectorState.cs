using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>
/// Where a reflector stands. Five states, and one function from state and outcome to the next state; what has to be done in a
/// state is the reflector's matter (Reflector.cs).
/// </summary>
internal abstract record ReflectorState
{
    /// <summary>Ask for the present objects and the changes in one stream, if the server can.</summary>
    internal sealed record Streaming(string Version) : ReflectorState;

    /// <summary>
    /// Ask for the present objects. "0" is "any state will do" (the first list), a version is "not older than this",
    /// empty is "the truth, from the quorum" (after 410, or after a version from the server's future).
    /// </summary>
    internal sealed record Listing(string Version) : ReflectorState;

    /// <summary>The store is complete as of this version; follow the changes from there.</summary>
    internal sealed record Watching(string Version) : ReflectorState;

    /// <summary>Something failed; wait, then go on with <see cref="Then"/>.</summary>
    internal sealed record Waiting(ReflectorState Then, string Cause) : ReflectorState;

    /// <summary>How an attempt in a state ended.</summary>
    internal abstract record Outcome
    {
        /// <summary>A list (or the initial part of a stream) is in the store.</summary>
        internal sealed record Listed(string Version) : Outcome;

        /// <summary>The server ended the watch in good order.</summary>
        internal sealed record Ended(string Version, bool VeryShort) : Outcome;

        /// <summary>It failed; for a watch, after it had come to this version.</summary>
        internal sealed record Failed(KubeException Error, string Version, bool RetryInternalErrors = true) : Outcome;

        /// <summary>The wait is over.</summary>
        internal sealed record Waited : Outcome;
    }

    public static ReflectorState Next(ReflectorState state, Outcome outcome) => (state, outcome) switch
    {
        (Waiting waiting, Outcome.Waited) => waiting.Then,
        (Listing or Streaming, Outcome.Listed listed) => new Watching(listed.Version),

        // A watch that brings nothing and ends at once is a failure in disguise: without a wait we would hammer the server.
        (Watching, Outcome.Ended { VeryShort: true } ended) => new Waiting(new Watching(ended.Version), "very short watch"),
        (Watching, Outcome.Ended ended) => new Watching(ended.Version),

        (Streaming streaming, Outcome.Ended) => new Waiting(new Listing(streaming.Version), "initial stream ended early"),
        (Streaming streaming, Outcome.Failed failed) => AfterFailedStream(streaming, failed.Error),
        (Listing listing, Outcome.Failed failed) => AfterFailedList(listing, failed.Error),
        (Watching, Outcome.Failed failed) => AfterFailedWatch(failed),
        _ => throw new InvalidOperationException($"{outcome.GetType().Name} is no outcome of {state.GetType().Name}"),
    };

    // 422: the server does not know sendInitialEvents; no reason to wait, list instead.
    private static ReflectorState AfterFailedStream(Streaming state, KubeException error) => error switch
    {
        KubeApiException { IsInvalid: true } => new Listing(state.Version),
        KubeApiException { Code: System.Net.HttpStatusCode.BadRequest } => new Listing(state.Version),
        KubeApiException { IsExpired: true } or KubeApiException { IsTooLargeResourceVersion: true } => new Listing(""),
        _ => new Waiting(new Listing(state.Version), Describe(error)),
    };

    private static ReflectorState AfterFailedList(Listing state, KubeException error) => error switch
    {
        // Our version means nothing to the server any more; asking the quorum helps at once, waiting does not. If even the quorum
        // says so, something else is wrong.
        KubeApiException { IsExpired: true } or KubeApiException { IsTooLargeResourceVersion: true } when state.Version.Length > 0 => new Listing(""),
        _ => new Waiting(state, Describe(error)),
    };

    private static ReflectorState AfterFailedWatch(Outcome.Failed failed) => failed.Error switch
    {
        KubeApiException { IsExpired: true } or KubeApiException { IsTooLargeResourceVersion: true } => new Listing(""),
        KubeApiException { IsTooManyRequests: true } => new Waiting(new Watching(failed.Version), Describe(failed.Error)),
        KubeApiException { IsInternalError: true } when failed.RetryInternalErrors => new Waiting(new Watching(failed.Version), Describe(failed.Error)),

        // The connection broke, the server did not refuse: what we know up to this version is still true.
        KubeTransportException => new Waiting(new Watching(failed.Version), Describe(failed.Error)),
        _ => new Waiting(new Listing(failed.Version), Describe(failed.Error)),
    };

    private static string Describe(KubeException error) => error switch
    {
        KubeApiException { Reason.Length: > 0 } api => api.Reason,
        KubeApiException api => api.Code.ToString(),
        KubeTransportException { IsConnectionRefused: true } => "connection refused",
        KubeTransportException => "connection broken",
        KubeFormatException => "unreadable answer",
        _ => "configuration",
    };
}
