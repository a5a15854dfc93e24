using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>
/// The rules of every built-in kind, as one table: schema, defaults, validation, and how it is created and deleted.
/// A kind without an entry of its own gets what all kinds have: its schema, its declared defaults, and its status kept
/// away from clients.
/// </summary>
internal static class BuiltinRules
{
    /// <summary>Kinds whose newest version is not v1, or whose group the short form does not name.</summary>
    private static readonly Dictionary<string, string> Versions = new() { ["autoscaling"] = "v2" };

    public static KindRules Of(string group, string kind) => Of(group, kind == "Scale" ? "v1" : Versions.GetValueOrDefault(group, "v1"), kind);

    public static KindRules Of(string group, string version, string kind)
    {
        string apiVersion = group.Length == 0 ? version : $"{group}/{version}";
        if (BuiltinSchemas.Find(apiVersion, kind) is not { } schema)
        {
            return KindRules.Open;
        }

        KindRules rules = Particular(new KindRules { Schema = schema }, apiVersion, kind);
        Action<JsonObject> defaults = rules.Default;
        bool hasStatus = schema.Field("status") is not null;
        rules = rules with
        {
            Default = @object =>
            {
                KindDefaults.Declared(schema, @object);
                defaults(@object);
            },
        };
        return !hasStatus || kind is "CustomResourceDefinition" ? rules : rules with
        {
            PrepareForCreate = Then(rules.PrepareForCreate, @object => @object["status"] = (rules.InitialStatus ?? TypedDecoder.Zero(schema)["status"])?.DeepClone()),
            PrepareForUpdate = (@object, old) =>
            {
                @object["status"] = old["status"]?.DeepClone();
                rules.PrepareForUpdate(@object, old);
            },
        };
    }

    private static Action<JsonObject> Then(Action<JsonObject> first, Action<JsonObject> second) => @object =>
    {
        first(@object);
        second(@object);
    };

    private static KindRules Particular(KindRules rules, string apiVersion, string kind) => (apiVersion, kind) switch
    {
        ("v1", "ConfigMap") => rules with { Validate = ConfigValidation.ConfigMap, ValidateUpdate = ConfigValidation.ConfigMapUpdate },
        ("v1", "Secret") => rules with { Default = KindDefaults.Secret, Validate = ConfigValidation.Secret, ValidateUpdate = ConfigValidation.SecretUpdate },
        ("v1", "Service") => rules with
        {
            Default = KindDefaults.Service,
            Validate = ConfigValidation.Service,
            ValidateUpdate = ConfigValidation.ServiceUpdate,
            DeleteReturnsObject = true,
            NameRule = NameRule.DnsLabel,
        },
        ("v1", "ServiceAccount") => rules with { DeleteReturnsObject = true },
        ("v1", "Namespace") => rules with
        {
            Default = KindDefaults.Namespace,
            PrepareForCreate = static ns => ns["spec"] = new JsonObject { ["finalizers"] = new JsonArray("kubernetes") },
            PrepareForUpdate = static (ns, old) => ns["spec"] = old["spec"]?.DeepClone(),
            InitialStatus = new JsonObject { ["phase"] = "Active" },
            DeleteReturnsObject = true,
            NameRule = NameRule.DnsLabel,
        },
        ("v1", "Pod") => rules with
        {
            Default = PodDefaults.Pod,
            Validate = PodValidation.Pod,
            ValidateUpdate = PodChange.ValidateUpdate,
            InitialStatus = new JsonObject { ["phase"] = "Pending" },
            PrepareForCreate = static _ => { },
            HasGeneration = true,
            DeleteReturnsObject = true,
        },
        ("v1", "PodTemplate") => rules with { Default = PodDefaults.Template, HasGeneration = true },
        ("v1", "ReplicationController") => rules with { Default = KindDefaults.ReplicaSet, HasGeneration = true },
        ("v1", "PersistentVolumeClaim") => rules with { Default = KindDefaults.Claim, InitialStatus = new JsonObject { ["phase"] = "Pending" }, PrepareForCreate = static claim => KindDefaults.Protect(claim, "kubernetes.io/pvc-protection"), Validate = ConfigValidation.Claim, ValidateUpdate = static (now, _) => ConfigValidation.Claim(now) },
        ("v1", "PersistentVolume") => rules with { Default = KindDefaults.Volume, InitialStatus = new JsonObject { ["phase"] = "Pending" }, PrepareForCreate = static volume => KindDefaults.Protect(volume, "kubernetes.io/pv-protection") },
        ("v1", "Endpoints") => rules with { Default = KindDefaults.Endpoints, Validate = ConfigValidation.Endpoints, ValidateUpdate = static (now, _) => ConfigValidation.Endpoints(now) },
        ("v1", "Event") => rules with { CreateOnUpdate = true, NameRule = NameRule.PathSegment, Validate = EventValidation.Core, ValidateUpdate = static (now, _) => EventValidation.Core(now) },
        ("events.k8s.io/v1", "Event") => rules with { CreateOnUpdate = true, NameRule = NameRule.PathSegment, Validate = EventValidation.New },
        ("coordination.k8s.io/v1", "Lease") => rules with { CreateOnUpdate = true, Validate = ConfigValidation.Lease, ValidateUpdate = static (now, _) => ConfigValidation.Lease(now) },
        ("discovery.k8s.io/v1", "EndpointSlice") => rules with
        {
            Default = KindDefaults.EndpointSlice,
            Validate = ConfigValidation.EndpointSlice,
            ValidateUpdate = ConfigValidation.EndpointSliceUpdate,
            HasGeneration = true,
        },
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => rules with
        {
            Default = CrdValidation.Default,
            PrepareForCreate = CrdValidation.PrepareForCreate,
            PrepareForUpdate = CrdValidation.PrepareForUpdate,
            Validate = CrdValidation.Validate,
            ValidateUpdate = CrdValidation.ValidateUpdate,
            HasGeneration = true,
            DeleteReturnsObject = true,
        },
        _ => Grouped(rules, apiVersion, kind),
    };

    private static KindRules Grouped(KindRules rules, string apiVersion, string kind) => (apiVersion.Split('/')[0], kind) switch
    {
        ("apps", "Deployment") => rules with { Default = KindDefaults.Deployment, Validate = WorkloadValidation.Deployment, ValidateUpdate = WorkloadValidation.DeploymentUpdate, HasGeneration = true, GenerationFollowsAnnotations = true },
        ("apps", "ReplicaSet") => rules with { Default = KindDefaults.ReplicaSet, Validate = WorkloadValidation.ReplicaSet, ValidateUpdate = WorkloadValidation.ReplicaSetUpdate, HasGeneration = true },
        ("apps", "StatefulSet") => rules with { Default = KindDefaults.StatefulSet, Validate = WorkloadValidation.StatefulSet, ValidateUpdate = WorkloadValidation.StatefulSetUpdate, HasGeneration = true },
        ("apps", "DaemonSet") => rules with
        {
            Default = KindDefaults.DaemonSet,
            Validate = WorkloadValidation.DaemonSet,
            ValidateUpdate = WorkloadValidation.DaemonSetUpdate,
            HasGeneration = true,
        },
        ("batch", "Job") => rules with { Default = KindDefaults.Job, PrepareForCreate = KindDefaults.SelectByUid, Validate = WorkloadValidation.Job, ValidateUpdate = WorkloadValidation.JobUpdate, HasGeneration = true },
        ("batch", "CronJob") => rules with { Default = KindDefaults.CronJob, Validate = WorkloadValidation.CronJob, ValidateUpdate = static (now, _) => WorkloadValidation.CronJob(now), HasGeneration = true },
        ("rbac.authorization.k8s.io", "Role" or "ClusterRole") => rules with
        {
            CreateOnUpdate = true,
            NameRule = NameRule.PathSegment,
            Validate = ConfigValidation.Role,
            ValidateUpdate = static (now, _) => ConfigValidation.Role(now),
        },
        ("rbac.authorization.k8s.io", "RoleBinding" or "ClusterRoleBinding") => rules with
        {
            CreateOnUpdate = true,
            NameRule = NameRule.PathSegment,
            Default = KindDefaults.Binding,
            Validate = ConfigValidation.Binding,
            ValidateUpdate = ConfigValidation.BindingUpdate,
        },
        ("networking.k8s.io", "NetworkPolicy") => rules with { Default = KindDefaults.NetworkPolicy, HasGeneration = true },
        ("networking.k8s.io", "Ingress" or "IngressClass") => rules with { HasGeneration = true },
        ("policy", "PodDisruptionBudget") => rules with { Validate = ConfigValidation.DisruptionBudget, ValidateUpdate = static (now, _) => ConfigValidation.DisruptionBudget(now), HasGeneration = true, UnconditionalUpdate = false },
        ("autoscaling", "HorizontalPodAutoscaler") => rules with { Default = KindDefaults.Autoscaler },
        ("admissionregistration.k8s.io", _) => rules with { Default = KindDefaults.Webhooks, HasGeneration = true },
        ("storage.k8s.io", "StorageClass") => rules with { Default = KindDefaults.StorageClass },
        ("scheduling.k8s.io", "PriorityClass") => rules with { Default = KindDefaults.PriorityClass, HasGeneration = true },
        ("authentication.k8s.io", "TokenRequest") => rules with { Default = KindDefaults.TokenRequest },
        _ => rules,
    };
}
