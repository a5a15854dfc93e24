using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>What is checked about every object's metadata: names, labels, annotations, owners, finalizers, and what may change.</summary>
internal static partial class MetadataRules
{
    private const string SubdomainText =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
        "alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    private const string Label1123Text =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric " +
        "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

    private const string Label1035Text =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an " +
        "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    private const string QualifiedText =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or " +
        "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    private const string LabelValueText =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
        "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    private const int MaxAnnotationBytes = 256 * 1024;

    public static string Quote(string text) => JsonBytes.Text(JsonValue.Create(text));

    /// <summary>Everything wrong with the metadata as such; used on create, and (with the changes) on update.</summary>
    public static IEnumerable<FieldError> Check(JsonObject metadata, ResourceInfo info)
    {
        string generate = metadata.Str("generateName") ?? "";
        if (generate.Length > 0)
        {
            foreach (string problem in NameErrors(generate, info.Rules.NameRule, prefix: true))
            {
                yield return FieldError.Invalid("metadata.generateName", Quote(generate), problem);
            }
        }

        string name = metadata.Str("name") ?? "";
        if (name.Length == 0)
        {
            yield return FieldError.Required("metadata.name", "name or generateName is required");
        }
        else
        {
            foreach (string problem in NameErrors(name, info.Rules.NameRule, prefix: false))
            {
                yield return FieldError.Invalid("metadata.name", Quote(name), problem);
            }
        }

        foreach (FieldError error in CheckLabels(metadata.Obj("labels")).Concat(CheckAnnotations(metadata.Obj("annotations")))
                     .Concat(CheckOwners(metadata.Arr("ownerReferences"))).Concat(CheckFinalizers(metadata.Arr("finalizers"))))
        {
            yield return error;
        }
    }

    /// <summary>What a change of metadata has to satisfy.</summary>
    public static IEnumerable<FieldError> CheckChange(JsonObject metadata, JsonObject old)
    {
        if (old.ContainsKey("deletionTimestamp"))
        {
            string[] added = [.. metadata.Arr("finalizers").Strings().Except(old.Arr("finalizers").Strings())];
            if (added.Length > 0)
            {
                string list = string.Join(", ", added.Select(Quote));
                yield return FieldError.Forbidden(
                    "metadata.finalizers",
                    $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{list}}}");
            }
        }

        foreach (string field in (string[])["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"])
        {
            if (!JsonNode.DeepEquals(metadata[field], old[field]))
            {
                yield return FieldError.Invalid($"metadata.{field}", JsonBytes.Text(metadata[field]), "field is immutable");
            }
        }

        foreach (FieldError error in CheckLabels(metadata.Obj("labels")).Concat(CheckAnnotations(metadata.Obj("annotations")))
                     .Concat(CheckOwners(metadata.Arr("ownerReferences"))))
        {
            yield return error;
        }
    }

    public static IEnumerable<string> NameErrors(string name, NameRule rule, bool prefix)
    {
        // A prefix may end in what the random suffix then continues.
        string tested = prefix && name.Length > 1 && name.EndsWith('-') ? name[..^1] + "a" : name;
        switch (rule)
        {
            case NameRule.PathSegment:
                return PathSegmentErrors(name, prefix);
            case NameRule.DnsLabel:
                return Errors(tested, 63, Label1123(), Label1123Text);
            case NameRule.DnsLabel1035:
                return Errors(tested, 63, Label1035(), Label1035Text);
            default:
                return Errors(tested, 253, Subdomain(), SubdomainText);
        }
    }

    public static IEnumerable<string> PathSegmentErrors(string name, bool prefix)
    {
        if (!prefix && name is "." or "..")
        {
            yield return $"may not be '{name}'";
            yield break;
        }

        foreach (string part in (string[])["/", "%"])
        {
            if (name.Contains(part))
            {
                yield return $"may not contain '{part}'";
            }
        }
    }

    public static string? SubdomainError(string name) => Errors(name, 253, Subdomain(), SubdomainText).FirstOrDefault();

    /// <summary>A qualified name: an optional DNS subdomain, a slash, and a name part.</summary>
    public static IReadOnlyList<string> QualifiedNameErrors(string key)
    {
        List<string> errors = [];
        string[] parts = key.Split('/');
        string name = parts[^1];
        if (parts.Length > 2)
        {
            return ["a valid label key " + QualifiedText + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"];
        }

        if (parts.Length == 2)
        {
            if (parts[0].Length == 0)
            {
                errors.Add("prefix part must be non-empty");
            }
            else
            {
                errors.AddRange(Errors(parts[0], 253, Subdomain(), SubdomainText).Select(text => "prefix part " + text));
            }
        }

        if (name.Length == 0)
        {
            errors.Add("name part must be non-empty");
        }
        else if (name.Length > 63)
        {
            errors.Add("name part must be no more than 63 bytes");
        }

        if (!Qualified().IsMatch(name))
        {
            errors.Add("name part " + QualifiedText);
        }

        return errors;
    }

    public static string? LabelValueError(string value) =>
        value.Length > 63 ? "must be no more than 63 bytes" : LabelValue().IsMatch(value) ? null : LabelValueText;

    private static IEnumerable<FieldError> CheckLabels(JsonObject? labels)
    {
        foreach ((string key, JsonNode? node) in labels ?? [])
        {
            foreach (string problem in QualifiedNameErrors(key))
            {
                yield return FieldError.Invalid("metadata.labels", Quote(key), problem);
            }

            string value = node.Str() ?? "";
            if (value.Length > 63)
            {
                yield return FieldError.Invalid("metadata.labels", Quote(value), "must be no more than 63 bytes");
            }

            if (!LabelValue().IsMatch(value))
            {
                yield return FieldError.Invalid("metadata.labels", Quote(value), LabelValueText);
            }
        }
    }

    private static IEnumerable<FieldError> CheckAnnotations(JsonObject? annotations)
    {
        long size = 0;
        foreach ((string key, JsonNode? value) in annotations ?? [])
        {
            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value.Str() ?? "");
            foreach (string problem in QualifiedNameErrors(key.ToLowerInvariant()))
            {
                yield return FieldError.Invalid("metadata.annotations", Quote(key), problem);
            }
        }

        if (size > MaxAnnotationBytes)
        {
            yield return new FieldError(FieldErrorType.TooLong, "metadata.annotations", null, $"may not be more than {MaxAnnotationBytes} bytes");
        }
    }

    private static IEnumerable<FieldError> CheckOwners(JsonArray? owners)
    {
        const string field = "metadata.ownerReferences";
        JsonObject? controller = null;
        foreach (JsonObject owner in owners.Objects())
        {
            string apiVersion = owner.Str("apiVersion") ?? "";
            if (apiVersion.Length == 0)
            {
                yield return FieldError.Invalid(field + ".apiVersion", "\"\"", "version must not be empty");
            }

            foreach (string required in (string[])["kind", "name", "uid"])
            {
                if (string.IsNullOrEmpty(owner.Str(required)))
                {
                    yield return FieldError.Invalid($"{field}.{required}", "\"\"", "must not be empty");
                }
            }

            if (apiVersion == "v1" && owner.Str("kind") == "Event")
            {
                yield return FieldError.Invalid(field, JsonBytes.Text(owner), "/v1, Kind=Event is disallowed from being an owner");
            }

            if (owner.Bool("controller") != true)
            {
                continue;
            }

            if (controller is not null)
            {
                yield return FieldError.Invalid(
                    field,
                    JsonBytes.Text(owners),
                    "Only one reference can have Controller set to true. Found \"true\" in references for " +
                    $"{controller.Str("kind")}/{controller.Str("name")} and {owner.Str("kind")}/{owner.Str("name")}");
            }
            else
            {
                controller = owner;
            }
        }
    }

    private static IEnumerable<FieldError> CheckFinalizers(JsonArray? finalizers)
    {
        int index = 0;
        HashSet<string> policies = [];
        foreach (string finalizer in finalizers.Strings())
        {
            foreach (string problem in QualifiedNameErrors(finalizer))
            {
                yield return FieldError.Invalid("metadata.finalizers", Quote(finalizer), problem);
            }

            if (!finalizer.Contains('/') && finalizer is not ("orphan" or "foregroundDeletion" or "kubernetes"))
            {
                yield return FieldError.Invalid(
                    $"metadata.finalizers[{index}]", Quote(finalizer), "name is neither a standard finalizer name nor is it fully qualified");
            }

            if (finalizer is "orphan" or "foregroundDeletion")
            {
                policies.Add(finalizer);
            }

            index++;
        }

        if (policies.Count == 2)
        {
            yield return FieldError.Invalid(
                "metadata.finalizers", JsonBytes.Text(finalizers), "finalizer orphan and foregroundDeletion cannot be both set");
        }
    }

    private static IEnumerable<string> Errors(string text, int max, Regex pattern, string problem)
    {
        if (text.Length > max)
        {
            yield return max == 253 ? "must be no more than 253 characters" : $"must be no more than {max} bytes";
        }

        if (!pattern.IsMatch(text))
        {
            yield return problem;
        }
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex Label1123();

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex Label1035();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\z")]
    private static partial Regex LabelValue();
}
