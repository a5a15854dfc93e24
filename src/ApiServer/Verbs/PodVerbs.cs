using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>The subresources that only pods have, as far as they can be answered without a node: binding, eviction, added containers.</summary>
internal sealed class PodVerbs(ApiCore core, Responder responder)
{
    public Task HandleAsync(ApiRequest request) => request.Subresource switch
    {
        "binding" => BindAsync(request),
        "eviction" => EvictAsync(request),
        "ephemeralcontainers" or "resize" when request.Method == "GET" =>
            responder.WriteStoredAsync(request, core.Reader.Get(request.Info, request.Namespace, request.Name, request.Query)),
        "ephemeralcontainers" or "resize" when request.Method == "PATCH" => new PatchVerb(core, responder).HandleAsync(request),
        _ => throw new ApiError(500, "InternalError", "Internal error occurred: no node runs this pod", []),
    };

    private async Task BindAsync(ApiRequest request)
    {
        WriteOptions options = request.WriteOptions("CreateOptions");
        JsonObject binding = await ReadAsync(request, "", "Binding").ConfigureAwait(false);
        string node = binding.Obj("target").Str("name") ?? "";
        await core.Writer.UpdateAsync(
            request.Info,
            request.Namespace,
            request.Name,
            live =>
            {
                JsonObject pod = live!;
                if (pod.Obj("spec").Str("nodeName") is { Length: > 0 } bound)
                {
                    throw ApiError.Conflict("", "pods/binding", request.Name, $"pod {request.Name} is already assigned to node \"{bound}\"");
                }

                pod.Ensure("spec")["nodeName"] = node;
                SetCondition(pod.Ensure("status"), "PodScheduled");
                pod.Obj("metadata")!.Remove("resourceVersion");
                return pod;
            },
            options with { Subresource = "binding" },
            request.Aborted).ConfigureAwait(false);
        await SucceedAsync(request).ConfigureAwait(false);
    }

    private async Task EvictAsync(ApiRequest request)
    {
        JsonObject eviction = await ReadAsync(request, "policy", "Eviction").ConfigureAwait(false);
        JsonObject? asked = eviction.Obj("deleteOptions");
        DeleteOptions options = new()
        {
            DryRun = asked.Arr("dryRun")?.Count > 0 || request.Query.Has("dryRun"),
            GracePeriodSeconds = asked.Int("gracePeriodSeconds"),
            Propagation = asked.Str("propagationPolicy"),
            Uid = asked.Obj("preconditions").Str("uid"),
            ResourceVersion = asked.Obj("preconditions").Str("resourceVersion"),
        };
        CheckBudgets(request);
        await core.Deleter.DeleteAsync(
            request.Info, request.Namespace, request.Name, options, WriteOptions.Internal("") with { User = request.User }, request.Aborted).ConfigureAwait(false);
        await SucceedAsync(request).ConfigureAwait(false);
    }

    /// <summary>A disruption budget that allows nothing holds an eviction back.</summary>
    private void CheckBudgets(ApiRequest request)
    {
        StoredObject? pod = core.Store.Find("pods", StoredObject.KeyOf(request.Namespace, request.Name));
        foreach (StoredObject budget in core.Store.Snapshot("poddisruptionbudgets.policy").Objects)
        {
            if (pod is not null
                && budget.Key.StartsWith(request.Namespace + "/", StringComparison.Ordinal)
                && Selection.Matches(budget.View.Obj("spec").Obj("selector"), pod.Metadata.Obj("labels"))
                && (budget.View.Obj("status").Int("disruptionsAllowed") ?? 0) <= 0)
            {
                throw new ApiError(
                    429,
                    "TooManyRequests",
                    "Cannot evict pod as it would violate the pod's disruption budget.",
                    new JsonObject
                    {
                        ["causes"] = new JsonArray(new JsonObject
                        {
                            ["reason"] = "DisruptionBudget",
                            ["message"] = $"The disruption budget {budget.Metadata.Str("name")} does not allow evicting pods currently because it does not allow any disruptions",
                        }),
                    });
            }
        }
    }

    private static async Task<JsonObject> ReadAsync(ApiRequest request, string group, string kind)
    {
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        ResourceInfo info = new()
        {
            Group = group,
            Version = "v1",
            Kind = kind,
            Plural = kind.ToLowerInvariant() + "s",
            Namespaced = true,
            Rules = Builtin.BuiltinRules.Of(group, "v1", kind),
        };
        Body body = BodyReader.Decode(bytes, BodyReader.MediaType(request.Http.Request), info);
        return Decoder.DecodeBody(info, body, request.Served, request.WriteOptions("CreateOptions"));
    }

    private static Task SucceedAsync(ApiRequest request) => Responder.WriteJsonAsync(request.Http, 201, new JsonObject
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject(),
        ["status"] = "Success",
        ["code"] = 201L,
    });

    private void SetCondition(JsonObject status, string type)
    {
        JsonArray conditions = status.Arr("conditions") ?? [];
        foreach (JsonObject known in conditions.Objects().Where(condition => condition.Str("type") == type).ToArray())
        {
            conditions.Remove(known);
        }

        conditions.Add((JsonNode)new JsonObject { ["type"] = type, ["status"] = "True", ["lastProbeTime"] = null, ["lastTransitionTime"] = core.Now() });
        if (status["conditions"] is null)
        {
            status["conditions"] = conditions;
        }
    }
}
