using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Access;

/// <summary>What somebody wants to do: a verb on a resource, or on a path that is none.</summary>
internal sealed record AccessQuestion(string Verb)
{
    public string Group { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>A path outside the resources (/healthz); null for resources.</summary>
    public string? Path { get; init; }
}

internal sealed record AccessAnswer(bool Allowed, string Reason = "");

/// <summary>Evaluates the RBAC objects in the store. The group system:masters may do everything.</summary>
internal sealed class Rbac(ApiCore core)
{
    private static readonly string[] PublicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/", "/api", "/apis", "/openapi"];

    private static readonly string[] SelfReviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];

    public AccessAnswer Ask(UserInfo user, AccessQuestion question)
    {
        if (user.Groups.Contains("system:masters"))
        {
            return new AccessAnswer(true);
        }

        if (Basic(user, question))
        {
            return new AccessAnswer(true, "RBAC: allowed by ClusterRoleBinding \"system:basic-user\" of ClusterRole \"system:basic-user\" to Group \"system:authenticated\"");
        }

        foreach (StoredObject binding in core.Store.Snapshot("clusterrolebindings.rbac.authorization.k8s.io").Objects)
        {
            if (Grants(binding, "", user, question) is { } subject)
            {
                return Allowed("ClusterRoleBinding", binding.Key, binding, subject);
            }
        }

        if (question.Namespace.Length > 0)
        {
            foreach (StoredObject binding in core.Store.Snapshot("rolebindings.rbac.authorization.k8s.io").Objects)
            {
                (string ns, string name) = StoredObject.SplitKey(binding.Key);
                if (ns == question.Namespace && Grants(binding, ns, user, question) is { } subject)
                {
                    return Allowed("RoleBinding", $"{name}/{ns}", binding, subject);
                }
            }
        }

        return new AccessAnswer(false);
    }

    /// <summary>The rules that apply to a user in a namespace, for SelfSubjectRulesReview.</summary>
    public IEnumerable<JsonObject> RulesOf(UserInfo user, string ns)
    {
        if (user.Groups.Contains("system:masters"))
        {
            yield return new JsonObject { ["verbs"] = new JsonArray("*"), ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*") };
            yield return new JsonObject { ["verbs"] = new JsonArray("*"), ["nonResourceURLs"] = new JsonArray("*") };
        }

        IEnumerable<StoredObject> bindings = core.Store.Snapshot("clusterrolebindings.rbac.authorization.k8s.io").Objects
            .Concat(core.Store.Snapshot("rolebindings.rbac.authorization.k8s.io").Objects.Where(binding => StoredObject.SplitKey(binding.Key).Namespace == ns));
        foreach (StoredObject binding in bindings)
        {
            string scope = StoredObject.SplitKey(binding.Key).Namespace;
            if (binding.View.Arr("subjects").Objects().Any(subject => IsSubject(subject, scope, user)))
            {
                foreach (JsonObject rule in RoleOf(binding, scope)?.View.Arr("rules").Objects() ?? [])
                {
                    yield return rule.Clone();
                }
            }
        }
    }

    private static bool Basic(UserInfo user, AccessQuestion question)
    {
        bool known = user.Groups.Contains("system:authenticated");
        if (question.Path is { } path)
        {
            return question.Verb == "get" && (known || path is "/healthz" or "/livez" or "/readyz" or "/version" or "/version/")
                && PublicPaths.Any(open => path == open || path.StartsWith(open + "/", StringComparison.Ordinal));
        }

        return known && question.Verb == "create" && SelfReviews.Contains(question.Resource);
    }

    private static AccessAnswer Allowed(string kind, string name, StoredObject binding, JsonObject subject)
    {
        JsonObject? role = binding.View.Obj("roleRef");
        string who = subject.Str("kind") == "ServiceAccount"
            ? $"ServiceAccount \"{subject.Str("name")}/{subject.Str("namespace")}\""
            : $"{subject.Str("kind")} \"{subject.Str("name")}\"";
        return new AccessAnswer(true, $"RBAC: allowed by {kind} \"{name}\" of {role.Str("kind")} \"{role.Str("name")}\" to {who}");
    }

    private JsonObject? Grants(StoredObject binding, string ns, UserInfo user, AccessQuestion question)
    {
        JsonObject? subject = binding.View.Arr("subjects").Objects().FirstOrDefault(candidate => IsSubject(candidate, ns, user));
        if (subject is null || RoleOf(binding, ns) is not { } role)
        {
            return null;
        }

        return role.View.Arr("rules").Objects().Any(rule => Covers(rule, question)) ? subject : null;
    }

    private StoredObject? RoleOf(StoredObject binding, string ns)
    {
        JsonObject? reference = binding.View.Obj("roleRef");
        string name = reference.Str("name") ?? "";
        return reference.Str("kind") == "ClusterRole"
            ? core.Store.Find("clusterroles.rbac.authorization.k8s.io", name)
            : core.Store.Find("roles.rbac.authorization.k8s.io", StoredObject.KeyOf(ns, name));
    }

    private static bool IsSubject(JsonObject subject, string ns, UserInfo user) => subject.Str("kind") switch
    {
        "User" => subject.Str("name") == user.Name,
        "Group" => user.Groups.Contains(subject.Str("name") ?? ""),
        "ServiceAccount" => user.Name == $"system:serviceaccount:{(subject.Str("namespace") is { Length: > 0 } given ? given : ns)}:{subject.Str("name")}",
        _ => false,
    };

    private static bool Covers(JsonObject rule, AccessQuestion question)
    {
        if (!Has(rule.Arr("verbs"), question.Verb))
        {
            return false;
        }

        if (question.Path is { } path)
        {
            return rule.Arr("nonResourceURLs").Strings().Any(url => url == "*" || url == path || url.EndsWith('*') && path.StartsWith(url[..^1], StringComparison.Ordinal));
        }

        string resource = question.Subresource.Length == 0 ? question.Resource : $"{question.Resource}/{question.Subresource}";
        bool covered = rule.Arr("resources").Strings().Any(known =>
            known == "*" || known == resource || question.Subresource.Length > 0 && known == $"*/{question.Subresource}");
        string[] names = [.. rule.Arr("resourceNames").Strings()];
        return covered && Has(rule.Arr("apiGroups"), question.Group) && (names.Length == 0 || names.Contains(question.Name));
    }

    private static bool Has(JsonArray? list, string value) => list.Strings().Any(known => known == "*" || known == value);
}
