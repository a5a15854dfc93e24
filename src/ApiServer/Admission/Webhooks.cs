using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Access;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Admission;

/// <summary>
/// Calls the admission webhooks that are configured in the store, as the real server calls them: those whose rules,
/// selectors and scope match, mutating ones one after the other, each with its own timeout and failure policy. A hook is
/// reached by its URL; a service is looked up in the Endpoints of its name.
/// </summary>
internal sealed class Webhooks(ApiCore core) : IDisposable
{
    private readonly Dictionary<string, HttpClient> clients = [];
    private readonly Lock gate = new();

    public async Task MutateAsync(ResourceInfo info, string operation, JsonObject obj, JsonObject? old, WriteOptions options, CancellationToken cancellation)
    {
        foreach ((JsonObject hook, string configuration) in Matching("mutatingwebhookconfigurations", info, operation, obj, old))
        {
            JsonObject? response = await CallAsync(hook, configuration, info, operation, obj, old, options, cancellation).ConfigureAwait(false);
            if (response.Str("patch") is not { Length: > 0 } encoded)
            {
                continue;
            }

            JsonNode? patch = JsonBytes.Read(Convert.FromBase64String(encoded));
            PatchResult patched = JsonPatch.Apply(obj, new JsonText(patch, null, []));
            if (patched.Error is { } error)
            {
                throw ApiError.InternalError($"the patch of webhook {hook.Str("name")} cannot be applied: {error.Message}");
            }

            Decoded decoded = Decoder.Decode(info, patched.Object!, [], core.Registry.Current);
            if (decoded.Error is { } undecodable)
            {
                throw ApiError.InternalError($"the patch of webhook {hook.Str("name")} makes no {info.Kind}: {undecodable}");
            }

            Replace(obj, decoded.Object);
        }
    }

    public async Task ValidateAsync(ResourceInfo info, string operation, JsonObject? obj, JsonObject? old, WriteOptions options, CancellationToken cancellation)
    {
        foreach ((JsonObject hook, string configuration) in Matching("validatingwebhookconfigurations", info, operation, obj, old))
        {
            await CallAsync(hook, configuration, info, operation, obj, old, options, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        foreach (HttpClient client in clients.Values)
        {
            client.Dispose();
        }
    }

    private IEnumerable<(JsonObject Hook, string Configuration)> Matching(string plural, ResourceInfo info, string operation, JsonObject? obj, JsonObject? old)
    {
        if (info.Group == "admissionregistration.k8s.io")
        {
            yield break;
        }

        foreach (StoredObject configuration in core.Store.Snapshot($"{plural}.admissionregistration.k8s.io").Objects)
        {
            foreach (JsonObject hook in configuration.View.Arr("webhooks").Objects())
            {
                if (hook.Arr("rules").Objects().Any(rule => Covers(rule, info, operation)) && Selected(hook, info, obj ?? old))
                {
                    yield return (hook, configuration.Key);
                }
            }
        }
    }

    private static bool Covers(JsonObject rule, ResourceInfo info, string operation)
    {
        bool Has(string field, string value) => rule.Arr(field).Strings().Any(known => known == "*" || known == value);
        string scope = rule.Str("scope") ?? "*";
        return Has("operations", operation) && Has("apiGroups", info.Group) && Has("apiVersions", info.Version) && Has("resources", info.Plural)
            && (scope == "*" || scope == (info.Namespaced ? "Namespaced" : "Cluster"));
    }

    private bool Selected(JsonObject hook, ResourceInfo info, JsonObject? obj)
    {
        bool chosen = hook.Obj("objectSelector") is not { Count: > 0 } selector || Selection.Matches(selector, obj.Obj("metadata").Obj("labels"));
        if (!chosen || hook.Obj("namespaceSelector") is not { Count: > 0 } namespaces || !info.Namespaced)
        {
            return chosen;
        }

        StoredObject? ns = core.Store.Find("namespaces", obj.Obj("metadata").Str("namespace") ?? "");
        return ns is not null && Selection.Matches(namespaces, ns.Metadata.Obj("labels"));
    }

    /// <summary>Sends one review; a refusal is thrown, a failure too unless the hook says to ignore it.</summary>
    private async Task<JsonObject?> CallAsync(
        JsonObject hook, string configuration, ResourceInfo info, string operation, JsonObject? obj, JsonObject? old, WriteOptions options, CancellationToken cancellation)
    {
        string name = hook.Str("name") ?? configuration;
        if (options.DryRun && hook.Str("sideEffects") is not ("None" or "NoneOnDryRun"))
        {
            throw ApiError.BadRequest($"admission webhook \"{name}\" does not support dry run");
        }

        JsonObject? response;
        try
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeSpan.FromSeconds(hook.Int("timeoutSeconds") ?? 10));
            response = (await PostAsync(hook, Review(info, operation, obj, old, options), limit.Token).ConfigureAwait(false)).Obj("response");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or UriFormatException && !cancellation.IsCancellationRequested)
        {
            return hook.Str("failurePolicy") == "Ignore"
                ? null
                : throw ApiError.InternalError($"failed calling webhook \"{name}\": failed to call webhook: {(e is OperationCanceledException ? "context deadline exceeded" : e.Message)}");
        }

        options.Warnings.AddRange(response.Arr("warnings").Strings());
        if (response.Bool("allowed") == true)
        {
            return response;
        }

        JsonObject? status = response.Obj("status");
        int code = (int)(status.Int("code") ?? 403);
        string message = status.Str("message") is { Length: > 0 } text ? $"admission webhook \"{name}\" denied the request: {text}" : $"admission webhook \"{name}\" denied the request without explanation";
        throw new ApiError(code, status.Str("reason") ?? (code == 403 ? "Forbidden" : null), message, status.Obj("details")?.Clone());
    }

    private static JsonObject Review(ResourceInfo info, string operation, JsonObject? obj, JsonObject? old, WriteOptions options)
    {
        JsonObject metadata = (obj ?? old).Obj("metadata") ?? [];
        JsonObject Kind() => new() { ["group"] = info.Group, ["version"] = info.Version, ["kind"] = info.Kind };
        JsonObject Resource() => new() { ["group"] = info.Group, ["version"] = info.Version, ["resource"] = info.Plural };
        JsonObject request = new()
        {
            ["uid"] = Guid.NewGuid().ToString(),
            ["kind"] = Kind(),
            ["resource"] = Resource(),
            ["requestKind"] = Kind(),
            ["requestResource"] = Resource(),
            ["name"] = metadata.Str("name"),
            ["operation"] = operation,
            ["userInfo"] = ReviewKinds.Describe(options.User),
            ["object"] = operation == "DELETE" ? null : obj?.DeepClone(),
            ["oldObject"] = old?.DeepClone(),
            ["dryRun"] = options.DryRun,
            ["options"] = null,
        };
        if (info.Namespaced)
        {
            request["namespace"] = metadata.Str("namespace");
        }

        if (options.Subresource.Length > 0)
        {
            request["subResource"] = options.Subresource;
        }

        return new JsonObject { ["kind"] = "AdmissionReview", ["apiVersion"] = "admission.k8s.io/v1", ["request"] = request };
    }

    private async Task<JsonObject> PostAsync(JsonObject hook, JsonObject review, CancellationToken cancellation)
    {
        JsonObject target = hook.Obj("clientConfig") ?? [];
        using ByteArrayContent content = new(JsonBytes.Write(review));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response = await Client(target).PostAsync(UrlOf(target), content, cancellation).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        return JsonBytes.ReadObject(await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false));
    }

    private Uri UrlOf(JsonObject target)
    {
        if (target.Str("url") is { Length: > 0 } url)
        {
            return new Uri(url);
        }

        JsonObject? service = target.Obj("service");
        string key = StoredObject.KeyOf(service.Str("namespace"), service.Str("name") ?? "");
        JsonObject? subset = core.Store.Find("endpoints", key)?.View.Arr("subsets").Objects().FirstOrDefault();
        string? ip = subset.Arr("addresses").Objects().FirstOrDefault().Str("ip");
        long? port = subset.Arr("ports").Objects().FirstOrDefault().Int("port");
        return ip is null
            ? throw new HttpRequestException($"no endpoints available for service \"{service.Str("name")}\"")
            : new Uri($"https://{ip}:{port ?? service.Int("port") ?? 443}{service.Str("path") ?? "/"}");
    }

    /// <summary>One client per trusted certificate: the hook's own authority is what counts, not the machine's.</summary>
    private HttpClient Client(JsonObject target)
    {
        string bundle = target.Str("caBundle") ?? "";
        lock (gate)
        {
            if (!clients.TryGetValue(bundle, out HttpClient? client))
            {
                clients[bundle] = client = new HttpClient(Handler(bundle)) { Timeout = TimeSpan.FromSeconds(30) };
            }

            return client;
        }
    }

    private static SocketsHttpHandler Handler(string bundle)
    {
        SocketsHttpHandler handler = new() { PooledConnectionLifetime = TimeSpan.FromMinutes(1) };
        if (bundle.Length == 0)
        {
            return handler;
        }

        X509Certificate2Collection trusted = [];
        trusted.ImportFromPem(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(bundle)));
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        return handler;
    }

    private static void Replace(JsonObject target, JsonObject source)
    {
        target.Clear();
        foreach ((string name, JsonNode? value) in source)
        {
            target[name] = value?.DeepClone();
        }
    }
}
