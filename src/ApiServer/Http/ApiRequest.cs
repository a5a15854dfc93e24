using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Http;

/// <summary>A request for a resource, taken apart.</summary>
internal sealed record ApiRequest
{
    public required HttpContext Http { get; init; }

    public required ResourceRegistry.Picture Served { get; init; }

    public required ResourceInfo Info { get; init; }

    /// <summary>Empty for cluster-scoped resources, and for lists over all namespaces.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Empty for collections.</summary>
    public string Name { get; init; } = "";

    public string Subresource { get; init; } = "";

    public required UserInfo User { get; init; }

    public required RequestQuery Query { get; init; }

    public required Negotiated Accept { get; init; }

    public List<string> Warnings { get; } = [];

    public CancellationToken Aborted => Http.RequestAborted;

    public string Method => Http.Request.Method;

    public WriteOptions WriteOptions(string kind, bool apply = false) =>
        Verbs.WriteOptions.Parse(Query, kind, Http.Request.Headers.UserAgent, apply, User, Subresource) with { Warnings = Warnings };
}
