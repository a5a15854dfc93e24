using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

/// <summary>What to list, and how.</summary>
public sealed record ListOptions
{
    public string? LabelSelector { get; init; }

    public string? FieldSelector { get; init; }

    /// <summary>Objects per page; 0 asks for everything at once.</summary>
    public int Limit { get; init; }

    public string? Continue { get; init; }

    public string? ResourceVersion { get; init; }

    public string? ResourceVersionMatch { get; init; }
}

/// <summary>A list, or one page of it: <see cref="Continue"/> is set when there is more.</summary>
public sealed record KubeList<T>(IReadOnlyList<T> Items, string ResourceVersion, string? Continue = null);

/// <summary>What to watch, and from where.</summary>
public sealed record WatchOptions
{
    public string? LabelSelector { get; init; }

    public string? FieldSelector { get; init; }

    /// <summary>Changes after this version; empty means the present objects as ADDED events, then changes.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>How long the server should serve this watch. The client gives up a little later if the server does not.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    public bool AllowBookmarks { get; init; } = true;

    /// <summary>Ask for the present objects first and a bookmark after them (WatchList), in place of a list.</summary>
    public bool SendInitialEvents { get; init; }
}

public sealed partial class KubeClient
{
    internal const int PageSize = 500;
    internal static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(15);

    public async Task<T> GetAsync<T>(ResourceType<T> type, ObjectKey key, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        ArgumentNullException.ThrowIfNull(type);
        KubeRequest request = new(HttpMethod.Get, type.Kind.ObjectPath(key.Namespace, key.Name)) { Accept = AcceptOne<T>() };
        byte[] body = await CallAsync(request, cancellationToken).ConfigureAwait(false);
        return Decode(request, () => JsonSerializer.Deserialize(body, type.Json));
    }

    /// <summary>Like <see cref="GetAsync{T}"/>, but null when there is no such object.</summary>
    public async Task<T?> FindAsync<T>(ResourceType<T> type, ObjectKey key, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        try
        {
            return await GetAsync(type, key, cancellationToken).ConfigureAwait(false);
        }
        catch (KubeApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    public Task<JsonObject> GetAsync(ResourceKind kind, ObjectKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        return CallForObjectAsync(new KubeRequest(HttpMethod.Get, kind.ObjectPath(key.Namespace, key.Name)), cancellationToken);
    }

    /// <summary>The whole list, page by page. When the pages expire midway it starts over without paging.</summary>
    public async Task<KubeList<T>> ListAsync<T>(ResourceType<T> type, string? ns, ListOptions? list, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        list ??= new ListOptions { Limit = PageSize };
        KubeList<T> page = await ListPageAsync(type, ns, list, cancellationToken).ConfigureAwait(false);
        if (page.Continue is null)
        {
            return page;
        }

        var items = new List<T>(page.Items);
        while (page.Continue is not null)
        {
            try
            {
                ListOptions next = list with { Continue = page.Continue, ResourceVersion = null, ResourceVersionMatch = null };
                page = await ListPageAsync(type, ns, next, cancellationToken).ConfigureAwait(false);
                items.AddRange(page.Items);
            }
            catch (KubeApiException e) when (e.IsExpired)
            {
                ListOptions whole = list with { Continue = null, Limit = 0 };
                return await ListPageAsync(type, ns, whole, cancellationToken).ConfigureAwait(false);
            }
        }

        return page with { Items = items };
    }

    /// <summary>One page of a list.</summary>
    public async Task<KubeList<T>> ListPageAsync<T>(ResourceType<T> type, string? ns, ListOptions list, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(list);
        string query = Query(
            ("labelSelector", list.LabelSelector),
            ("fieldSelector", list.FieldSelector),
            ("limit", list.Limit > 0 ? list.Limit.ToString(CultureInfo.InvariantCulture) : null),
            ("continue", list.Continue),
            ("resourceVersion", list.ResourceVersion is { Length: > 0 } version ? version : null),
            ("resourceVersionMatch", list.ResourceVersionMatch));
        KubeRequest request = new(HttpMethod.Get, type.Kind.CollectionPath(ns) + query) { Accept = AcceptList<T>() };
        byte[] body = await CallAsync(request, cancellationToken).ConfigureAwait(false);
        return Decode(request, () => ListDecoder.Read(body, type.Json));
    }

    /// <summary>
    /// Follows changes until the server ends the watch (the enumeration ends) or something fails (it throws). An ERROR
    /// frame is a <see cref="KubeApiException"/>. Use an Informer for a watch that goes on by itself.
    /// </summary>
    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        ResourceType<T> type, string? ns, WatchOptions? watch, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        ArgumentNullException.ThrowIfNull(type);
        watch ??= new WatchOptions();
        using var deadline = new CancellationTokenSource(watch.Timeout + WatchGrace, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        WatchStream<T> stream = await Guard(OpenAsync(type, ns, watch, either.Token)).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            while (await Guard(stream.ReadAsync(either.Token)).ConfigureAwait(false) is { } next)
            {
                yield return next;
            }
        }

        async Task<TResult> Guard<TResult>(Task<TResult> reading)
        {
            try
            {
                return await reading.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && deadline.IsCancellationRequested)
            {
                throw new KubeTransportException($"watch of {type.Kind.Plural} outlived its deadline; the connection is taken for dead");
            }
        }
    }

    private async Task<WatchStream<T>> OpenAsync<T>(ResourceType<T> type, string? ns, WatchOptions watch, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        string query = Query(
            ("watch", "true"),
            ("labelSelector", watch.LabelSelector),
            ("fieldSelector", watch.FieldSelector),
            ("resourceVersion", watch.ResourceVersion is { Length: > 0 } version ? version : null),
            ("resourceVersionMatch", watch.SendInitialEvents ? "NotOlderThan" : null),
            ("sendInitialEvents", watch.SendInitialEvents ? "true" : null),
            ("allowWatchBookmarks", watch.AllowBookmarks ? "true" : null),
            ("timeoutSeconds", ((int)Math.Max(1, watch.Timeout.TotalSeconds)).ToString(CultureInfo.InvariantCulture)));
        KubeRequest request = new(HttpMethod.Get, type.Kind.CollectionPath(ns) + query) { IsWatch = true, Accept = AcceptOne<T>() };
        KubeResponse response = await transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            Stream body = await response.Message.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            return new WatchStream<T>(response, body, type, options.Metrics);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static string AcceptOne<T>() => typeof(T) == typeof(PartialObject)
        ? "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
        : "application/json";

    private static string AcceptList<T>() => typeof(T) == typeof(PartialObject)
        ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
        : "application/json";
}
