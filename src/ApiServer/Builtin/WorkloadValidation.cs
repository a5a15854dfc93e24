using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>What workloads (Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob) must satisfy, and what of them may not change.</summary>
internal static class WorkloadValidation
{
    private const string Percent = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
    private static readonly string[] SelectorOperators = ["In", "NotIn", "Exists", "DoesNotExist"];

    private static readonly string[] StatefulSetMayChange =
        ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"];

    public static IReadOnlyList<FieldError> Deployment(JsonObject deployment)
    {
        var errors = new List<FieldError>();
        JsonObject spec = deployment.Sub("spec") ?? [];
        CheckCount(spec, "replicas", errors);
        CheckSelectorAndTemplate(spec, errors);
        JsonObject strategy = spec.Sub("strategy") ?? [];
        if (strategy.Text("type") is not ("" or "Recreate" or "RollingUpdate") and var kind)
        {
            errors.Add(FieldError.NotSupported("spec.strategy", $"{{\"Type\":{Json.Quote(kind)},\"RollingUpdate\":null}}", "supported values: \"Recreate\", \"RollingUpdate\""));
        }

        if (strategy.Text("type") == "Recreate" && strategy["rollingUpdate"] is not null)
        {
            errors.Add(FieldError.Forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"));
        }
        else if (strategy.Sub("rollingUpdate") is { } rolling)
        {
            CheckRolling(rolling, "spec.strategy.rollingUpdate", errors);
        }

        CheckCount(spec, "minReadySeconds", errors);
        CheckCount(spec, "revisionHistoryLimit", errors);
        CheckCount(spec, "progressDeadlineSeconds", errors);
        if (spec.Integer("progressDeadlineSeconds") is { } deadline && deadline <= (spec.Integer("minReadySeconds") ?? 0))
        {
            errors.Add(FieldError.Invalid("spec.progressDeadlineSeconds", deadline.ToString(), "must be greater than minReadySeconds"));
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> DeploymentUpdate(JsonObject deployment, JsonObject old) =>
        [.. Deployment(deployment), .. SelectorChange(deployment, old)];

    public static IReadOnlyList<FieldError> ReplicaSet(JsonObject set)
    {
        var errors = new List<FieldError>();
        JsonObject spec = set.Sub("spec") ?? [];
        CheckCount(spec, "replicas", errors);
        CheckCount(spec, "minReadySeconds", errors);
        CheckSelectorAndTemplate(spec, errors);
        return errors;
    }

    public static IReadOnlyList<FieldError> ReplicaSetUpdate(JsonObject set, JsonObject old) => [.. ReplicaSet(set), .. SelectorChange(set, old)];

    public static IReadOnlyList<FieldError> StatefulSet(JsonObject set)
    {
        var errors = new List<FieldError>();
        JsonObject spec = set.Sub("spec") ?? [];
        if (spec.Text("podManagementPolicy") is not ("" or "OrderedReady" or "Parallel") and var policy)
        {
            errors.Add(FieldError.Invalid("spec.podManagementPolicy", Json.Quote(policy), "must be 'OrderedReady' or 'Parallel'"));
        }

        CheckUpdateStrategy(spec, errors);
        if (spec.Sub("updateStrategy")?.Sub("rollingUpdate") is { } rolling && rolling.Integer("partition") is < 0 and { } partition)
        {
            errors.Add(FieldError.Invalid("spec.updateStrategy.rollingUpdate.partition", partition.ToString(), "must be greater than or equal to 0"));
        }

        CheckCount(spec, "replicas", errors);
        CheckCount(spec, "minReadySeconds", errors);
        CheckSelectorAndTemplate(spec, errors);
        return errors;
    }

    public static IReadOnlyList<FieldError> StatefulSetUpdate(JsonObject set, JsonObject old)
    {
        JsonObject before = old.Sub("spec") ?? [];
        bool forbidden = (set.Sub("spec") ?? []).Select(static member => member.Key).Union(before.Select(static member => member.Key))
            .Any(name => !StatefulSetMayChange.Contains(name) && !Json.Equal(set["spec"]?[name], before[name]));
        return forbidden
            ? [.. StatefulSet(set), FieldError.Forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")]
            : StatefulSet(set);
    }

    public static IReadOnlyList<FieldError> DaemonSet(JsonObject set)
    {
        var errors = new List<FieldError>();
        JsonObject spec = set.Sub("spec") ?? [];
        CheckSelectorAndTemplate(spec, errors);
        CheckUpdateStrategy(spec, errors);
        return errors;
    }

    private static void CheckUpdateStrategy(JsonObject spec, List<FieldError> errors)
    {
        if (spec.Sub("updateStrategy")?.Text("type") is not (null or "" or "OnDelete" or "RollingUpdate") and var strategy)
        {
            errors.Add(FieldError.Invalid("spec.updateStrategy", $"{{\"Type\":{Json.Quote(strategy)},\"RollingUpdate\":null}}", "must be 'RollingUpdate' or 'OnDelete'"));
        }
    }

    public static IReadOnlyList<FieldError> DaemonSetUpdate(JsonObject set, JsonObject old) => [.. DaemonSet(set), .. SelectorChange(set, old)];

    public static IReadOnlyList<FieldError> Job(JsonObject job)
    {
        var errors = new List<FieldError>();
        JsonObject spec = job.Sub("spec") ?? [];
        CheckJobSpec(spec, "spec", errors);
        return errors;
    }

    public static IReadOnlyList<FieldError> JobUpdate(JsonObject job, JsonObject old)
    {
        var errors = new List<FieldError>(Job(job));
        foreach (string name in (ReadOnlySpan<string>)["completions", "selector", "template", "completionMode"])
        {
            if (!Json.Equal(job["spec"]?[name], old["spec"]?[name]))
            {
                errors.Add(Immutable("spec." + name, job["spec"]?[name]));
            }
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> CronJob(JsonObject job)
    {
        var errors = new List<FieldError>();
        JsonObject spec = job.Sub("spec") ?? [];
        if (spec.Text("schedule").Length == 0)
        {
            errors.Add(FieldError.Required("spec.schedule"));
        }
        else if (spec.Text("schedule").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length != 5 && spec.Text("schedule")[0] != '@')
        {
            errors.Add(FieldError.Invalid("spec.schedule", Json.Quote(spec.Text("schedule")), $"expected exactly 5 fields, found {spec.Text("schedule").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length}: [{spec.Text("schedule")}]"));
        }

        PodValidation.CheckOption(spec, "concurrencyPolicy", ["Allow", "Forbid", "Replace"], "spec", errors);
        CheckJobSpec(spec.Sub("jobTemplate")?.Sub("spec") ?? [], "spec.jobTemplate.spec", errors);
        return errors;
    }

    private static void CheckJobSpec(JsonObject spec, string path, List<FieldError> errors)
    {
        foreach (string name in (ReadOnlySpan<string>)["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"])
        {
            CheckCount(spec, name, errors, path);
        }

        JsonObject podSpec = spec.Sub("template")?.Sub("spec") ?? [];
        PodValidation.Spec(podSpec, path + ".template.spec", errors);
        if (podSpec.Text("restartPolicy") is not ("OnFailure" or "Never"))
        {
            errors.Add(podSpec.Text("restartPolicy") is "Always" or ""
                ? FieldError.Required(path + ".template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"")
                : FieldError.NotSupported(path + ".template.spec.restartPolicy", Json.Quote(podSpec.Text("restartPolicy")), "supported values: \"OnFailure\", \"Never\""));
        }
    }

    private static FieldError Immutable(string path, JsonNode? value) => FieldError.Invalid(path, Json.Compact(value, sorted: false), "field is immutable");

    private static IEnumerable<FieldError> SelectorChange(JsonObject now, JsonObject old) =>
        Json.Equal(now["spec"]?["selector"], old["spec"]?["selector"]) ? [] : [Immutable("spec.selector", now["spec"]?["selector"])];

    private static void CheckCount(JsonObject spec, string name, List<FieldError> errors, string path = "spec")
    {
        if (spec.Integer(name) is < 0 and { } value)
        {
            errors.Add(FieldError.Invalid($"{path}.{name}", value.ToString(), "must be greater than or equal to 0"));
        }
    }

    private static void CheckSelectorAndTemplate(JsonObject spec, List<FieldError> errors)
    {
        JsonObject? selector = spec.Sub("selector");
        bool valid = true;
        if (selector is null)
        {
            errors.Add(FieldError.Required("spec.selector"));
        }
        else
        {
            valid = CheckSelector(selector, "spec.selector", errors);
            if (selector.Count == 0)
            {
                errors.Add(FieldError.Invalid("spec.selector", "{}", "empty selector is invalid for deployment"));
            }
        }

        JsonObject template = spec.Sub("template") ?? [];
        JsonObject? labels = template.Sub("metadata")?.Sub("labels");
        if (!valid)
        {
            errors.Add(FieldError.Invalid("spec.selector", Json.Compact(selector, sorted: false), "invalid label selector"));
            return;
        }

        if (selector is null || !Matches(selector, labels.Strings()))
        {
            errors.Add(FieldError.Invalid("spec.template.metadata.labels", labels is null ? "null" : Json.Compact(labels), "`selector` does not match template `labels`"));
        }

        CheckLabels(labels, "spec.template.labels", errors);
        JsonObject podSpec = template.Sub("spec") ?? [];
        PodValidation.Spec(podSpec, "spec.template.spec", errors);
        if (podSpec.Text("restartPolicy") is "OnFailure" or "Never")
        {
            errors.Add(FieldError.NotSupported("spec.template.spec.restartPolicy", Json.Quote(podSpec.Text("restartPolicy")), "supported values: \"Always\""));
        }

        if (podSpec["activeDeadlineSeconds"] is not null)
        {
            errors.Add(FieldError.Forbidden("spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported"));
        }
    }

    /// <summary>Labels of anything that is not the object itself.</summary>
    public static void CheckLabels(JsonObject? labels, string path, List<FieldError> errors)
    {
        foreach ((string key, JsonNode? value) in labels ?? [])
        {
            errors.AddRange(NameSyntax.QualifiedName(key).Select(problem => FieldError.Invalid(path, Json.Quote(key), problem)));
            errors.AddRange(NameSyntax.LabelValue(Json.AsString(value) ?? "").Select(problem => FieldError.Invalid(path, Json.Compact(value), problem)));
        }
    }

    public static bool CheckSelector(JsonObject selector, string path, List<FieldError> errors)
    {
        int before = errors.Count;
        CheckLabels(selector.Sub("matchLabels"), path + ".matchLabels", errors);
        foreach ((JsonObject expression, string at) in selector.Indexed("matchExpressions", path + ".matchExpressions"))
        {
            string name = expression.Text("operator");
            bool values = expression["values"] is JsonArray { Count: > 0 };
            if (!SelectorOperators.Contains(name))
            {
                errors.Add(FieldError.Invalid(at + ".operator", Json.Quote(name), "not a valid selector operator"));
            }
            else if (name is "In" or "NotIn" && !values)
            {
                errors.Add(FieldError.Required(at + ".values", "must be specified when `operator` is 'In' or 'NotIn'"));
            }
            else if (name is "Exists" or "DoesNotExist" && values)
            {
                errors.Add(FieldError.Forbidden(at + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
            }
        }

        return errors.Count == before;
    }

    private static bool Matches(JsonObject selector, IReadOnlyDictionary<string, string> labels)
    {
        bool Holds(JsonObject expression)
        {
            bool present = labels.TryGetValue(expression.Text("key"), out string? actual);
            bool listed = present && (expression["values"] as JsonArray ?? []).Any(value => Json.AsString(value) == actual);
            return expression.Text("operator") switch
            {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => present,
                _ => !present,
            };
        }

        return selector.Sub("matchLabels").Strings().All(pair => labels.TryGetValue(pair.Key, out string? actual) && actual == pair.Value)
            && selector.Items("matchExpressions").All(Holds);
    }

    private static void CheckRolling(JsonObject rolling, string path, List<FieldError> errors)
    {
        bool sound = true;
        foreach (string name in (ReadOnlySpan<string>)["maxUnavailable", "maxSurge"])
        {
            JsonNode? value = rolling[name];
            if (Json.AsString(value) is { } text && (text.Length < 2 || text[^1] != '%' || !text[..^1].All(char.IsAsciiDigit)))
            {
                errors.Add(FieldError.Invalid($"{path}.{name}", Json.Quote(text), Percent));
                sound = false;
            }
            else if (Json.TryInteger(value, out long number) && number < 0)
            {
                errors.Add(FieldError.Invalid($"{path}.{name}", number.ToString(), "must be greater than or equal to 0"));
                sound = false;
            }
        }

        static bool IsZero(JsonNode? value) => Json.Compact(value) is "0" or "\"0%\"";
        if (sound && IsZero(rolling["maxUnavailable"]) && IsZero(rolling["maxSurge"]))
        {
            errors.Add(FieldError.Invalid(path + ".maxUnavailable", Json.Compact(rolling["maxUnavailable"]), "may not be 0 when `maxSurge` is 0"));
        }

        if (Json.AsString(rolling["maxUnavailable"]) is { } share && share.EndsWith('%') && long.TryParse(share[..^1], out long percent) && percent > 100)
        {
            errors.Add(FieldError.Invalid(path + ".maxUnavailable", Json.Quote(share), "must not be greater than 100%"));
        }
    }
}
