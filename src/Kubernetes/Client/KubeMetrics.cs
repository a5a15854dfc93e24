using System.Net;

namespace OptiInfra.Kubernetes.Client;

/// <summary>The recording points of client and runtime, under the names that dashboards for controllers already know.</summary>
public sealed class KubeMetrics
{
    public static readonly KubeMetrics None = new();

    internal void RequestDone(string method, string host, string code, TimeSpan took)
    {
    }

    internal void RequestRetried(string method, string host, HttpStatusCode code)
    {
    }

    internal void WatchFrameRejected(string resource)
    {
    }
}
