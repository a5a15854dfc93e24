using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Kubernetes.Tests.Runtime;

public sealed class SharedInformersTests
{
    [Fact]
    public void Who_wants_the_same_shares_and_who_wants_something_else_does_not()
    {
        using var client = new KubeClient(new KubeConfig { Server = new Uri("http://127.0.0.1:1") });
        var shared = new SharedInformers(client);
        Informer<ConfigMap> all = shared.Get(KubeTypes.ConfigMaps);
        Assert.Same(all, shared.Get(KubeTypes.ConfigMaps));
        Informer<ConfigMap> two = shared.Get(KubeTypes.ConfigMaps, new() { Namespaces = ["a", "b"] });
        Assert.Same(two, shared.Get(KubeTypes.ConfigMaps, new() { Namespaces = ["b", "a"] }));
        Assert.NotSame(all, two);
        Assert.NotSame(all, shared.Get(KubeTypes.ConfigMaps, new() { LabelSelector = "a=b" }));
        Assert.NotSame((object)all, shared.Get(PartialObject.Type(KubeTypes.ConfigMaps.Kind)));
        Assert.Equal(4, shared.All.Count);
    }
}
