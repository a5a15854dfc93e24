using System.Text.Json.Serialization;

namespace OptiInfra.Kubernetes.Objects;

/// <summary>The handles of the built-in kinds that we read.</summary>
public static class KubeTypes
{
    public static readonly ResourceType<ConfigMap> ConfigMaps = new(new("", "v1", "ConfigMap", "configmaps"), KubeJson.Default.ConfigMap);

    public static readonly ResourceType<Secret> Secrets = new(new("", "v1", "Secret", "secrets"), KubeJson.Default.Secret);

    public static readonly ResourceType<Service> Services = new(new("", "v1", "Service", "services"), KubeJson.Default.Service);

    public static readonly ResourceType<Pod> Pods = new(new("", "v1", "Pod", "pods"), KubeJson.Default.Pod);

    public static readonly ResourceType<Namespace> Namespaces = new(new("", "v1", "Namespace", "namespaces", Namespaced: false), KubeJson.Default.Namespace);

    public static readonly ResourceType<Node> Nodes = new(new("", "v1", "Node", "nodes", Namespaced: false), KubeJson.Default.Node);

    public static readonly ResourceType<ServiceAccount> ServiceAccounts = new(new("", "v1", "ServiceAccount", "serviceaccounts"), KubeJson.Default.ServiceAccount);

    public static readonly ResourceType<EndpointSlice> EndpointSlices = new(new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"), KubeJson.Default.EndpointSlice);

    public static readonly ResourceType<Deployment> Deployments = new(new("apps", "v1", "Deployment", "deployments"), KubeJson.Default.Deployment);

    public static readonly ResourceType<StatefulSet> StatefulSets = new(new("apps", "v1", "StatefulSet", "statefulsets"), KubeJson.Default.StatefulSet);

    public static readonly ResourceType<DaemonSet> DaemonSets = new(new("apps", "v1", "DaemonSet", "daemonsets"), KubeJson.Default.DaemonSet);

    public static readonly ResourceType<Lease> Leases = new(new("coordination.k8s.io", "v1", "Lease", "leases"), KubeJson.Default.Lease);

    public static readonly ResourceType<KubeEvent> Events = new(new("events.k8s.io", "v1", "Event", "events"), KubeJson.Default.KubeEvent);
}

/// <summary>Source-generated JSON for everything in this folder; kinds of other layers bring their own context.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 256)]
[JsonSerializable(typeof(ConfigMap))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(Pod))]
[JsonSerializable(typeof(Namespace))]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(ServiceAccount))]
[JsonSerializable(typeof(EndpointSlice))]
[JsonSerializable(typeof(Deployment))]
[JsonSerializable(typeof(StatefulSet))]
[JsonSerializable(typeof(DaemonSet))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(LeaseSpec))]
[JsonSerializable(typeof(KubeEvent))]
[JsonSerializable(typeof(DynamicObject))]
[JsonSerializable(typeof(PartialObject))]
[JsonSerializable(typeof(ObjectMeta))]
[JsonSerializable(typeof(ObjectReference))]
[JsonSerializable(typeof(OwnerReference))]
[JsonSerializable(typeof(Condition))]
[JsonSerializable(typeof(LabelSelector))]
[JsonSerializable(typeof(KubeStatus))]
public sealed partial class KubeJson : JsonSerializerContext;
