using System.Text.Json.Nodes;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Model;

namespace OptiInfra.Compiler.Tests.Emit;

public sealed class ConfigMapsTests
{
    [Fact]
    public void A_bucket_carries_the_labels_that_sync_watches_and_its_own_hash()
    {
        Manifest bucket = ConfigMaps.Bucket(StackModel.Default, Artifacts.Scrape, "b01", [new("b.yml", "2"), new("a.yml", "1")]);

        JsonNode metadata = bucket.Json["metadata"]!;
        Assert.Equal("optiinfra-default-scrape-b01", bucket.Name);
        Assert.Equal("optiinfra-system", bucket.Namespace);
        Assert.Equal("optiinfra", (string)metadata["labels"]!["app.kubernetes.io/managed-by"]!);
        Assert.Equal("default", (string)metadata["labels"]!["optiinfra.io/stack"]!);
        Assert.Equal("scrape", (string)metadata["labels"]!["optiinfra.io/artifact"]!);
        Assert.Equal(bucket.Hash, (string)metadata["annotations"]!["optiinfra.io/content-hash"]!);
        Assert.Equal(["a.yml", "b.yml"], bucket.Json["data"]!.AsObject().Select(pair => pair.Key));
    }

    [Fact]
    public void The_same_content_has_the_same_hash_whatever_the_order()
    {
        Manifest one = ConfigMaps.Bucket(StackModel.Default, Artifacts.Rules, "b", [new("b.yml", "2"), new("a.yml", "1")]);
        Manifest two = ConfigMaps.Bucket(StackModel.Default, Artifacts.Rules, "b", [new("a.yml", "1"), new("b.yml", "2")]);
        Manifest three = ConfigMaps.Bucket(StackModel.Default, Artifacts.Rules, "b", [new("a.yml", "1"), new("b.yml", "3")]);

        Assert.Equal(one.Hash, two.Hash);
        Assert.NotEqual(one.Hash, three.Hash);
    }

    [Fact]
    public void Alertmanager_s_configuration_is_never_a_config_map()
    {
        Manifest secret = ConfigMaps.Alertmanager(StackModel.Default, "route: {}");

        Assert.Equal(("Secret", "optiinfra-default-alertmanager"), (secret.Kind.Kind, secret.Name));
    }
}
