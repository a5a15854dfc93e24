using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Registry;

/// <summary>
/// The built-in resources, as a table of contents: what is served, under which names and with which subresources.
/// What a kind means (schema, defaults, validation) is looked up by group and kind.
/// </summary>
internal static class BuiltinResources
{
    private static readonly string[] NoCollectionDelete = ["create", "delete", "get", "list", "patch", "update", "watch"];
    private static readonly string[] CreateOnly = ["create"];
    private static readonly string[] Change = ["get", "patch", "update"];

    /// <summary>Fills in the rules of every kind; the argument finds them by group, version and kind.</summary>
    public static IReadOnlyList<ResourceInfo> All(Func<string, string, string, KindRules> rulesOf) =>
    [
        .. Core().Concat(Apps()).Concat(Batch()).Concat(Policy()).Concat(Cluster()).Concat(Access())
            .Select(info => info with { Rules = rulesOf(info.Group, info.Version, info.Kind) })
            .Select(info => info with { BookmarkFields = BookmarkFields(info) }),
    ];

    private static IEnumerable<ResourceInfo> Core() =>
    [
        Core("configmaps", "ConfigMap", "cm"),
        Core("endpoints", "Endpoints", "ep") with
        {
            Singular = "endpoints",
            DeprecationWarning = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
        },
        Core("events", "Event", "ev") with
        {
            SelectableFields =
            [
                "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
                "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
            ],
        },
        Core("limitranges", "LimitRange", "limits"),
        Core("namespaces", "Namespace", "ns") with
        {
            Namespaced = false,
            Verbs = NoCollectionDelete,
            SelectableFields = ["status.phase"],
            Subresources = [new("finalize", "", "v1", "Namespace", "update"), Status("", "Namespace")],
        },
        Core("nodes", "Node", "no") with
        {
            Namespaced = false,
            SelectableFields = ["spec.unschedulable"],
            Subresources = [new("proxy", "", "v1", "NodeProxyOptions", "create", "delete", "get", "patch", "update"), Status("", "Node")],
        },
        Core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc") with { Subresources = [Status("", "PersistentVolumeClaim")] },
        Core("persistentvolumes", "PersistentVolume", "pv") with { Namespaced = false, Subresources = [Status("", "PersistentVolume")] },
        Pods(),
        Core("podtemplates", "PodTemplate"),
        Core("replicationcontrollers", "ReplicationController", "rc") with
        {
            Categories = ["all"],
            SelectableFields = ["status.replicas"],
            Subresources = [Scale(), Status("", "ReplicationController")],
        },
        Core("resourcequotas", "ResourceQuota", "quota") with { Subresources = [Status("", "ResourceQuota")] },
        Core("secrets", "Secret") with { SelectableFields = ["type"] },
        Core("serviceaccounts", "ServiceAccount", "sa") with
        {
            Subresources = [new("token", "authentication.k8s.io", "v1", "TokenRequest", "create")],
        },
        Core("services", "Service", "svc") with
        {
            Categories = ["all"],
            SelectableFields = ["spec.clusterIP", "spec.type"],
            Subresources = [new("proxy", "", "v1", "ServiceProxyOptions", "create", "delete", "get", "patch", "update"), Status("", "Service")],
        },
        Core("bindings", "Binding") with { Verbs = CreateOnly },
    ];

    private static ResourceInfo Pods() => Core("pods", "Pod", "po") with
    {
        Categories = ["all"],
        SelectableFields =
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase",
            "status.podIP", "status.podIPs", "status.nominatedNodeName",
        ],
        Subresources =
        [
            new("attach", "", "v1", "PodAttachOptions", "create", "get"),
            new("binding", "", "v1", "Binding", "create"),
            new("ephemeralcontainers", "", "v1", "Pod", Change),
            new("eviction", "policy", "v1", "Eviction", "create"),
            new("exec", "", "v1", "PodExecOptions", "create", "get"),
            new("log", "", "v1", "Pod", "get"),
            new("portforward", "", "v1", "PodPortForwardOptions", "create", "get"),
            new("proxy", "", "v1", "PodProxyOptions", "create", "delete", "get", "patch", "update"),
            new("resize", "", "v1", "Pod", Change),
            Status("", "Pod"),
        ],
    };

    private static IEnumerable<ResourceInfo> Apps() =>
    [
        Of("apps", "controllerrevisions", "ControllerRevision"),
        Workload("daemonsets", "DaemonSet", "ds", scales: false),
        Workload("deployments", "Deployment", "deploy", scales: true),
        Workload("replicasets", "ReplicaSet", "rs", scales: true) with { SelectableFields = ["status.replicas"] },
        Workload("statefulsets", "StatefulSet", "sts", scales: true),
    ];

    private static IEnumerable<ResourceInfo> Batch() =>
    [
        Of("batch", "cronjobs", "CronJob", "cj") with { Categories = ["all"], Subresources = [Status("batch", "CronJob")] },
        Of("batch", "jobs", "Job") with
        {
            Categories = ["all"],
            SelectableFields = ["status.successful"],
            Subresources = [Status("batch", "Job")],
        },
        Of("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa") with
        {
            Version = "v2",
            Categories = ["all"],
            Subresources = [Status("autoscaling", "HorizontalPodAutoscaler") with { Version = "v2" }],
        },
        Of("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa") with
        {
            Categories = ["all"],
            Subresources = [Status("autoscaling", "HorizontalPodAutoscaler")],
        },
    ];

    private static IEnumerable<ResourceInfo> Policy() =>
    [
        Of("networking.k8s.io", "ingressclasses", "IngressClass") with { Namespaced = false },
        Of("networking.k8s.io", "ingresses", "Ingress", "ing") with { Subresources = [Status("networking.k8s.io", "Ingress")] },
        Of("networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol"),
        Of("policy", "poddisruptionbudgets", "PodDisruptionBudget", "pdb") with { Subresources = [Status("policy", "PodDisruptionBudget")] },
        Of("discovery.k8s.io", "endpointslices", "EndpointSlice"),
        Of("coordination.k8s.io", "leases", "Lease"),
        Of("events.k8s.io", "events", "Event", "ev") with
        {
            Table = "events",
            FromStorage = EventVersions.FromCore,
            ToStorage = EventVersions.ToCore,
            SelectableFields =
            [
                "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion", "regarding.resourceVersion",
                "regarding.fieldPath", "reason", "reportingController", "type",
            ],
        },
    ];

    private static IEnumerable<ResourceInfo> Cluster() =>
    [
        Of("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", "crd", "crds") with
        {
            Namespaced = false,
            Categories = ["api-extensions"],
            Subresources = [Status("apiextensions.k8s.io", "CustomResourceDefinition")],
        },
        Of("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration") with
        {
            Namespaced = false,
            Categories = ["api-extensions"],
        },
        Of("admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration") with
        {
            Namespaced = false,
            Categories = ["api-extensions"],
        },
        Of("scheduling.k8s.io", "priorityclasses", "PriorityClass", "pc") with { Namespaced = false, Singular = "priorityclass" },
        Of("storage.k8s.io", "storageclasses", "StorageClass", "sc") with { Namespaced = false, Singular = "storageclass" },
    ];

    private static IEnumerable<ResourceInfo> Access() =>
    [
        Of("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding") with { Namespaced = false },
        Of("rbac.authorization.k8s.io", "clusterroles", "ClusterRole") with { Namespaced = false },
        Of("rbac.authorization.k8s.io", "rolebindings", "RoleBinding"),
        Of("rbac.authorization.k8s.io", "roles", "Role"),
        Of("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview") with { Namespaced = false, Verbs = CreateOnly },
        Of("authentication.k8s.io", "tokenreviews", "TokenReview") with { Namespaced = false, Verbs = CreateOnly },
        Of("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview") with { Verbs = CreateOnly },
        Of("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview") with { Namespaced = false, Verbs = CreateOnly },
        Of("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview") with { Namespaced = false, Verbs = CreateOnly },
        Of("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview") with { Namespaced = false, Verbs = CreateOnly },
    ];

    /// <summary>What an empty object of the kind still prints: the fields that are structs.</summary>
    private static JsonObject BookmarkFields(ResourceInfo info)
    {
        JsonObject zero = info.Rules.Schema.Properties is null ? [] : TypedDecoder.Zero(info.Rules.Schema);
        zero.Remove("metadata");
        return zero;
    }

    private static ResourceInfo Workload(string plural, string kind, string shortName, bool scales) => Of("apps", plural, kind, shortName) with
    {
        Categories = ["all"],
        Subresources = scales ? [Scale(), Status("apps", kind)] : [Status("apps", kind)],
    };

    private static ResourceInfo Core(string plural, string kind, params string[] shortNames) => Of("", plural, kind, shortNames);

    private static ResourceInfo Of(string group, string plural, string kind, params string[] shortNames) => new()
    {
        Group = group,
        Version = "v1",
        Kind = kind,
        Plural = plural,
        Singular = kind.ToLowerInvariant(),
        ListKind = kind + "List",
        Namespaced = true,
        ShortNames = shortNames,
        Rules = KindRules.Open,
    };

    private static Subresource Status(string group, string kind) => new("status", group, "v1", kind, Change);

    private static Subresource Scale() => new("scale", "autoscaling", "v1", "Scale", Change)
    {
        Scale = new ScalePaths(".spec.replicas", ".status.replicas", ".spec.selector"),
    };
}
