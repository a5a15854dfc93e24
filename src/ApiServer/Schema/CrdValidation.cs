using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// The rules of the CustomResourceDefinition kind itself: defaults, the status a new one starts with, and validation with
/// everything wrong at once. Errors of a schema (columns, subresources, selectable fields) that all versions share are
/// reported once, under the fields that the real server keeps them in: spec.validation, spec.additionalPrinterColumns ….
/// </summary>
internal static class CrdValidation
{
    private const string Approval = "api-approved.kubernetes.io";
    private const int MaxSelectableFields = 8;
    private const string ColumnFormats = "byte,date,date-time,double,float,int32,int64,password";
    private const string ColumnTypes = "boolean,date,integer,number,string";

    /// <summary>Fills what the author left out, in place.</summary>
    public static void Default(JsonObject crd)
    {
        if (crd["spec"] is not JsonObject spec)
        {
            return;
        }

        if (spec["names"] is JsonObject names && Text(names, "kind") is { Length: > 0 } kind)
        {
            names["singular"] = Text(names, "singular") is { Length: > 0 } singular ? singular : kind.ToLowerInvariant();
            names["listKind"] = Text(names, "listKind") is { Length: > 0 } listKind ? listKind : kind + "List";
        }

        if (spec["conversion"] is null)
        {
            spec["conversion"] = new JsonObject { ["strategy"] = "None" };
        }
        else if (spec["conversion"]!["webhook"]?["clientConfig"]?["service"] is JsonObject service)
        {
            service["port"] ??= 443;
        }
    }

    /// <summary>A new definition starts with no conditions, no accepted names, and its storage version stored.</summary>
    public static void PrepareForCreate(JsonObject crd)
    {
        string? storage = Versions(crd).Where(static version => Flag(version, "storage")).Select(static version => Text(version, "name")).FirstOrDefault();
        crd["status"] = new JsonObject
        {
            ["conditions"] = null,
            ["acceptedNames"] = new JsonObject { ["plural"] = "", ["kind"] = "" },
            ["storedVersions"] = storage is null ? null : new JsonArray(storage),
        };
    }

    /// <summary>The status is the server's; a new storage version joins the stored ones.</summary>
    public static void PrepareForUpdate(JsonObject crd, JsonObject old)
    {
        crd["status"] = old["status"]?.DeepClone();
        if (crd["status"]?["storedVersions"] is not JsonArray stored)
        {
            return;
        }

        foreach (JsonObject version in Versions(crd).Where(static version => Flag(version, "storage")))
        {
            string name = Text(version, "name");
            if (!stored.Any(known => Json.AsString(known) == name))
            {
                stored.Add((JsonNode)name);
            }
        }
    }

    public static IReadOnlyList<FieldError> Validate(JsonObject crd)
    {
        JsonObject spec = crd["spec"] as JsonObject ?? [];
        var errors = new List<FieldError>();
        string name = Json.AsString(crd["metadata"]?["name"]) ?? "";
        if (name != $"{Text(spec["names"] as JsonObject ?? [], "plural")}.{Text(spec, "group")}")
        {
            errors.Add(FieldError.Invalid("metadata.name", Json.Quote(name), "must be spec.names.plural+\".\"+spec.group"));
        }

        CheckSpec(spec, errors);
        CheckStatus(crd, errors);
        CheckApproval(crd, Text(spec, "group"), errors);
        if (Flag(spec, "preserveUnknownFields"))
        {
            errors.Add(FieldError.Invalid("spec.preserveUnknownFields", "true", "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"));
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> ValidateUpdate(JsonObject crd, JsonObject old)
    {
        JsonObject spec = crd["spec"] as JsonObject ?? [];
        JsonObject oldSpec = old["spec"] as JsonObject ?? [];
        var errors = new List<FieldError>();
        CheckSpec(spec, errors);
        bool established = (old["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().Any(static c => Text(c, "type") == "Established" && Text(c, "status") == "True");
        if (established)
        {
            CheckImmutable(spec["scope"], oldSpec["scope"], "spec.scope", errors);
            CheckImmutable(spec["names"]?["kind"], oldSpec["names"]?["kind"], "spec.names.kind", errors);
        }

        CheckImmutable(spec["group"], oldSpec["group"], "spec.group", errors);
        CheckImmutable(spec["names"]?["plural"], oldSpec["names"]?["plural"], "spec.names.plural", errors);
        CheckStatus(crd, errors);
        return errors;
    }

    private static void CheckImmutable(JsonNode? value, JsonNode? old, string path, List<FieldError> errors)
    {
        if (!Json.Equal(value, old))
        {
            errors.Add(FieldError.Invalid(path, Json.Compact(value), "field is immutable"));
        }
    }

    private static string Text(JsonObject node, string name) => Json.AsString(node[name]) ?? "";

    private static bool Flag(JsonObject node, string name) => node[name] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    private static List<JsonObject> Versions(JsonObject crd) => [.. (crd["spec"]?["versions"] as JsonArray ?? []).OfType<JsonObject>()];

    private static void CheckSpec(JsonObject spec, List<FieldError> errors)
    {
        CheckGroupAndScope(spec, errors);
        List<JsonObject> versions = [.. (spec["versions"] as JsonArray ?? []).OfType<JsonObject>()];
        for (int i = 0; i < versions.Count; i++)
        {
            if (versions[i]["schema"]?["openAPIV3Schema"] is null)
            {
                errors.Add(FieldError.Required($"spec.versions[{i}].schema.openAPIV3Schema"));
            }
        }

        for (int i = 0; i < versions.Count; i++)
        {
            CheckVersion(versions, i, errors);
        }

        string[] names = [.. versions.Select(static version => Text(version, "name"))];
        if (names.Distinct().Count() < names.Length)
        {
            errors.Add(FieldError.Invalid("spec.versions", Dump(spec, versions), "must contain unique version names"));
        }

        if (versions.Count(static version => Flag(version, "storage")) != 1)
        {
            errors.Add(FieldError.Invalid("spec.versions", Dump(spec, versions), "must have exactly one version marked as storage version"));
        }

        if (names.Length > 0 && NameSyntax.Dns1035Label(names[0]) is { Count: > 0 } problems)
        {
            errors.Add(FieldError.Invalid("spec.version", Json.Quote(names[0]), string.Join(',', problems)));
        }

        CheckNames(spec["names"] as JsonObject ?? [], errors);
        CheckShared(versions, errors);
        CheckConversion(spec["conversion"] as JsonObject ?? [], errors);
    }

    private static void CheckGroupAndScope(JsonObject spec, List<FieldError> errors)
    {
        string group = Text(spec, "group");
        if (group.Length == 0)
        {
            errors.Add(FieldError.Required("spec.group"));
        }
        else if (NameSyntax.DnsSubdomain(group) is { Count: > 0 } problems)
        {
            errors.Add(FieldError.Invalid("spec.group", Json.Quote(group), string.Join(',', problems)));
        }
        else if (!group.Contains('.'))
        {
            errors.Add(FieldError.Invalid("spec.group", Json.Quote(group), "should be a domain with at least one dot"));
        }

        string scope = Text(spec, "scope");
        if (scope is not ("Cluster" or "Namespaced"))
        {
            errors.Add(scope.Length == 0 ? FieldError.Required("spec.scope") : FieldError.NotSupported("spec.scope", Json.Quote(scope), "supported values: \"Cluster\", \"Namespaced\""));
        }
    }

    // What all versions have in common is checked once, by CheckShared.
    private static bool IsShared(List<JsonObject> versions, string member) =>
        versions.Count > 0 && versions.TrueForAll(version => Json.Equal(version[member], versions[0][member]));

    private static void CheckVersion(List<JsonObject> versions, int i, List<FieldError> errors)
    {
        JsonObject version = versions[i];
        string path = $"spec.versions[{i}]";
        if (NameSyntax.Dns1035Label(Text(version, "name")) is { Count: > 0 } problems)
        {
            errors.Add(FieldError.Invalid(path + ".name", Json.Quote(Text(version, "name")), string.Join(',', problems)));
        }

        if (version["deprecationWarning"] is { } warning)
        {
            CheckDeprecation(Flag(version, "deprecated"), Json.AsString(warning) ?? "", path + ".deprecationWarning", errors);
        }

        CheckParts(versions, version, path + ".schema.openAPIV3Schema", path, shared: false, errors);
    }

    private static void CheckShared(List<JsonObject> versions, List<FieldError> errors)
    {
        if (versions.Count > 0)
        {
            CheckParts(versions, versions[0], "spec.validation.openAPIV3Schema", "spec", shared: true, errors);
        }
    }

    private static void CheckParts(List<JsonObject> versions, JsonObject version, string schemaPath, string path, bool shared, List<FieldError> errors)
    {
        JsonObject? schema = version["schema"]?["openAPIV3Schema"] as JsonObject;
        if (schema is not null && IsShared(versions, "schema") == shared)
        {
            errors.AddRange(CrdSchemaCheck.Check(schema, schemaPath));
        }

        if (version["subresources"]?["scale"] is JsonObject scale && IsShared(versions, "subresources") == shared)
        {
            CheckScale(scale, path + ".subresources.scale", errors);
        }

        if (version["additionalPrinterColumns"] is JsonArray columns && IsShared(versions, "additionalPrinterColumns") == shared)
        {
            for (int i = 0; i < columns.Count; i++)
            {
                CheckColumn(columns[i] as JsonObject ?? [], $"{path}.additionalPrinterColumns[{i}]", errors);
            }
        }

        if (version["selectableFields"] is JsonArray { Count: > 0 } fields && schema is not null && IsShared(versions, "selectableFields") == shared)
        {
            CheckSelectable(fields, SchemaReader.Read(schema), path + ".selectableFields", errors);
        }
    }

    private static void CheckDeprecation(bool deprecated, string warning, string path, List<FieldError> errors)
    {
        string? problem = !deprecated ? "can only be set for deprecated versions"
            : warning.Length > 256 ? "must be <= 256 characters long"
            : warning.Length == 0 ? "must not be an empty string"
            : warning.AsSpan().IndexOfAnyInRange('\0', '\x1f') is >= 0 and var at ? $"must only contain printable UTF-8 characters; non-printable character found at index {at}"
            : null;
        if (problem is not null)
        {
            errors.Add(FieldError.Invalid(path, Json.Quote(warning), problem));
        }
    }

    private static void CheckScale(JsonObject scale, string path, List<FieldError> errors)
    {
        CheckScalePath(scale, "specReplicasPath", [".spec."], "under .spec", path, errors);
        CheckScalePath(scale, "statusReplicasPath", [".status."], "under .status", path, errors);
        if (Text(scale, "labelSelectorPath").Length > 0)
        {
            CheckScalePath(scale, "labelSelectorPath", [".spec.", ".status."], "under either .spec or .status", path, errors);
        }
    }

    private static void CheckScalePath(JsonObject scale, string member, string[] roots, string where, string path, List<FieldError> errors)
    {
        string value = Text(scale, member);
        string at = path + "." + member;
        if (value.Length == 0)
        {
            errors.Add(FieldError.Required(at));
        }
        else if (value[0] != '.')
        {
            errors.Add(FieldError.Invalid(at, Json.Quote(value), "must be a simple json path starting with ."));
        }
        else if (!roots.Any(root => value.StartsWith(root, StringComparison.Ordinal)))
        {
            errors.Add(FieldError.Invalid(at, Json.Quote(value), "should be a json path " + where));
        }
    }

    private static void CheckColumn(JsonObject column, string path, List<FieldError> errors)
    {
        if (Text(column, "name").Length == 0)
        {
            errors.Add(FieldError.Required(path + ".name"));
        }

        string type = Text(column, "type");
        if (type.Length == 0)
        {
            errors.Add(FieldError.Required(path + ".type", "must be one of " + ColumnTypes));
        }
        else if (!ColumnTypes.Split(',').Contains(type))
        {
            errors.Add(FieldError.Invalid(path + ".type", Json.Quote(type), "must be one of " + ColumnTypes));
        }

        string format = Text(column, "format");
        if (format.Length > 0 && !ColumnFormats.Split(',').Contains(format))
        {
            errors.Add(FieldError.Invalid(path + ".format", Json.Quote(format), "must be one of " + ColumnFormats));
        }

        string jsonPath = Text(column, "jsonPath");
        if (jsonPath.Length == 0)
        {
            errors.Add(FieldError.Required(path + ".JSONPath"));
        }
        else if (jsonPath[0] != '.')
        {
            errors.Add(FieldError.Invalid(path + ".JSONPath", Json.Quote(jsonPath), "must be a simple json path starting with ."));
        }
    }

    private static void CheckSelectable(JsonArray fields, StructuralSchema schema, string path, List<FieldError> errors)
    {
        var seen = new HashSet<string>();
        for (int i = 0; i < fields.Count; i++)
        {
            string at = $"{path}[{i}].jsonPath";
            string jsonPath = Text(fields[i] as JsonObject ?? [], "jsonPath");
            if (jsonPath.Length == 0)
            {
                errors.Add(FieldError.Required(at));
                continue;
            }

            if (!SimplePath.TryResolve(jsonPath, schema, out string display, out StructuralSchema? target, out string error, allowBrackets: false))
            {
                errors.Add(FieldError.Invalid(at, Json.Quote(jsonPath), "is an invalid path: " + error));
                continue;
            }

            if (display.Split('.')[0] == "metadata")
            {
                errors.Add(FieldError.Invalid(at, Json.Quote(jsonPath), "must not point to fields in metadata"));
            }

            if (target?.Type is not ("string" or "boolean" or "integer"))
            {
                errors.Add(FieldError.Invalid(at, Json.Quote(jsonPath), "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."));
            }

            if (!seen.Add(display))
            {
                errors.Add(FieldError.Duplicate(at, Json.Quote(jsonPath)));
            }
        }

        if (seen.Count > MaxSelectableFields)
        {
            errors.Add(new FieldError(FieldErrorType.TooMany, path, seen.Count.ToString(), $"must have at most {MaxSelectableFields} items"));
        }
    }

    private static void CheckNames(JsonObject names, List<FieldError> errors)
    {
        foreach (string member in (ReadOnlySpan<string>)["plural", "singular", "kind", "listKind"])
        {
            if (Text(names, member).Length == 0)
            {
                errors.Add(FieldError.Required("spec.names." + member));
            }
        }

        CheckNameSyntax(names, "spec.names", errors);
    }

    private static void CheckNameSyntax(JsonObject names, string path, List<FieldError> errors)
    {
        foreach (string member in (ReadOnlySpan<string>)["plural", "singular", "kind", "listKind"])
        {
            bool mixed = member is "kind" or "listKind";
            string value = Text(names, member);
            if (value.Length > 0 && NameSyntax.Dns1035Label(mixed ? value.ToLowerInvariant() : value) is { Count: > 0 } problems)
            {
                errors.Add(FieldError.Invalid($"{path}.{member}", Json.Quote(value), (mixed ? "may have mixed case, but should otherwise match: " : "") + string.Join(',', problems)));
            }
        }

        CheckLabels(names["shortNames"] as JsonArray ?? [], path + ".shortNames", errors);
        if (Text(names, "kind") is { Length: > 0 } kind && kind == Text(names, "listKind"))
        {
            errors.Add(FieldError.Invalid(path + ".listKind", Json.Quote(kind), "kind and listKind may not be the same"));
        }

        CheckLabels(names["categories"] as JsonArray ?? [], path + ".categories", errors);
    }

    private static void CheckLabels(JsonArray labels, string path, List<FieldError> errors)
    {
        for (int i = 0; i < labels.Count; i++)
        {
            if (NameSyntax.Dns1035Label(Json.AsString(labels[i]) ?? "") is { Count: > 0 } problems)
            {
                errors.Add(FieldError.Invalid($"{path}[{i}]", Json.Compact(labels[i]), string.Join(',', problems)));
            }
        }
    }

    private static void CheckConversion(JsonObject conversion, List<FieldError> errors)
    {
        string strategy = Text(conversion, "strategy");
        JsonObject? webhook = conversion["webhook"] as JsonObject;
        if (strategy is not ("None" or "Webhook"))
        {
            errors.Add(strategy.Length == 0 ? FieldError.Required("spec.conversion.strategy") : FieldError.NotSupported("spec.conversion.strategy", Json.Quote(strategy), "supported values: \"None\", \"Webhook\""));
        }

        if (strategy != "Webhook")
        {
            if (webhook?["clientConfig"] is not null)
            {
                errors.Add(FieldError.Forbidden("spec.conversion.webhookClientConfig", "should not be set when strategy is not set to Webhook"));
            }

            if (webhook?["conversionReviewVersions"] is JsonArray { Count: > 0 })
            {
                errors.Add(FieldError.Forbidden("spec.conversion.conversionReviewVersions", "should not be set when strategy is not set to Webhook"));
            }

            return;
        }

        if (webhook?["clientConfig"] is not JsonObject client)
        {
            errors.Add(FieldError.Required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"));
        }
        else if (client["url"] is null == client["service"] is null)
        {
            errors.Add(FieldError.Required("spec.conversion.webhookClientConfig", "exactly one of url or service is required"));
        }

        string[] versions = [.. (webhook?["conversionReviewVersions"] as JsonArray ?? []).Select(static version => Json.AsString(version) ?? "")];
        if (versions.Length == 0)
        {
            errors.Add(FieldError.Required("spec.conversion.conversionReviewVersions"));
        }
        else if (!versions.Any(static version => version is "v1" or "v1beta1"))
        {
            errors.Add(FieldError.Invalid("spec.conversion.conversionReviewVersions", Json.Compact(webhook!["conversionReviewVersions"]), "must include at least one of v1, v1beta1"));
        }
    }

    private static void CheckStatus(JsonObject crd, List<FieldError> errors)
    {
        CheckNameSyntax(crd["status"]?["acceptedNames"] as JsonObject ?? [], "status.acceptedNames", errors);
        string[] stored = [.. (crd["status"]?["storedVersions"] as JsonArray ?? []).Select(static version => Json.AsString(version) ?? "")];
        string shown = crd["status"]?["storedVersions"] is JsonArray list ? Json.Compact(list) : "null";
        if (stored.Length == 0)
        {
            errors.Add(FieldError.Invalid("status.storedVersions", shown, "must have at least one stored version"));
            return;
        }

        List<JsonObject> versions = Versions(crd);
        foreach (JsonObject version in versions.Where(version => Flag(version, "storage") && !stored.Contains(Text(version, "name"))))
        {
            errors.Add(FieldError.Invalid("status.storedVersions", shown, "must have the storage version " + Text(version, "name")));
        }

        for (int i = 0; i < stored.Length; i++)
        {
            if (!versions.Exists(version => Text(version, "name") == stored[i]))
            {
                errors.Add(FieldError.Invalid($"status.storedVersions[{i}]", Json.Quote(stored[i]), $"missing from spec.versions; {stored[i]} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {stored[i]} and removes {stored[i]} from status.storedVersions"));
            }
        }
    }

    private static void CheckApproval(JsonObject crd, string group, List<FieldError> errors)
    {
        bool isProtected = group is "k8s.io" or "kubernetes.io" || group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);
        if (!isProtected)
        {
            return;
        }

        string field = $"metadata.annotations[{Approval}]";
        string? approval = Json.AsString(crd["metadata"]?["annotations"]?[Approval]);
        if (string.IsNullOrEmpty(approval))
        {
            errors.Add(FieldError.Required(field, $"protected groups must have approval annotation \"{Approval}\", see https://github.com/kubernetes/enhancements/pull/1111"));
        }
        else if (!approval.StartsWith("unapproved", StringComparison.Ordinal) && !Uri.TryCreate(approval, UriKind.Absolute, out _))
        {
            errors.Add(FieldError.Invalid(field, Json.Quote(approval), $"protected groups must have approval annotation \"{Approval}\" with either a URL or a reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111"));
        }
    }

    // Versions as the real server prints them in messages: its own field names, shared parts moved away.
    private static string Dump(JsonObject spec, List<JsonObject> versions) => spec["versions"] is not JsonArray ? "null" : Json.Compact(
        new JsonArray(
        [
            .. versions.Select(static version => new JsonObject
            {
                ["Name"] = Text(version, "name"),
                ["Served"] = Flag(version, "served"),
                ["Storage"] = Flag(version, "storage"),
                ["Deprecated"] = Flag(version, "deprecated"),
                ["DeprecationWarning"] = version["deprecationWarning"]?.DeepClone(),
                ["Schema"] = null,
                ["Subresources"] = null,
                ["AdditionalPrinterColumns"] = null,
                ["SelectableFields"] = null,
            }),
        ]),
        sorted: false);
}
