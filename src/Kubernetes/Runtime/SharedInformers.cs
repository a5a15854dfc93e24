using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>
/// One informer for all who want the same objects in the same form: same kind, type, namespaces and selectors. Whoever adds indexes or
/// a transform wants another form and gets an informer of their own, unless they bring the very same functions.
/// </summary>
public sealed class SharedInformers(KubeClient client)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Form, Informer> informers = [];

    private sealed record Form(ResourceKind Kind, Type Type, string Namespaces, string? LabelSelector, string? FieldSelector, object? Transform, object? Indexers);

    /// <summary>All informers there are; a host runs them.</summary>
    public IReadOnlyList<Informer> All
    {
        get
        {
            lock (gate)
            {
                return [.. informers.Values];
            }
        }
    }

    /// <summary>The informer for this form, made when asked for first.</summary>
    public Informer<T> Get<T>(ResourceType<T> type, InformerOptions<T>? options = null)
        where T : class, IKubeObject
    {
        ArgumentNullException.ThrowIfNull(type);
        options ??= new InformerOptions<T>();
        string namespaces = string.Join(',', options.Namespaces.Order(StringComparer.Ordinal));
        var form = new Form(type.Kind, typeof(T), namespaces, options.LabelSelector, options.FieldSelector, options.Transform, options.Indexers);
        lock (gate)
        {
            if (!informers.TryGetValue(form, out Informer? informer))
            {
                informers[form] = informer = new Informer<T>(client, type, options);
            }

            return (Informer<T>)informer;
        }
    }
}
