using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;

namespace OptiInfra.Compiler.Emit;

/// <summary>The ConfigMaps and Secrets of a stack, exactly as <c>sync</c> and people who mount them expect them.</summary>
public static class ConfigMaps
{
    /// <summary>The root configuration.</summary>
    public static Manifest Root(StackModel stack, string text) =>
        Object(stack, Artifacts.Config, null, [new(Contract.ConfigFile, text)]);

    /// <summary>The jobs of all classes (resolved discovery).</summary>
    public static Manifest Classes(StackModel stack, IEnumerable<ScrapeClass> classes)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return Object(stack, Artifacts.Scrape, "classes", [new(Contract.ClassesFile, StackCompiler.Classes(classes))]);
    }

    /// <summary>One bucket of agents' or policies' keys.</summary>
    public static Manifest Bucket(StackModel stack, string artifact, string bucket, IEnumerable<KeyValuePair<string, string>> keys) =>
        Object(stack, artifact, bucket, keys);

    /// <summary>Alertmanager's configuration: a Secret, because routes tell who is called at night.</summary>
    public static Manifest Alertmanager(StackModel stack, string text)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return Manifest.Create(Kinds.Secret, stack.Namespace, Naming.StackObject(stack.Name, Artifacts.Alertmanager), Labels(stack.Name, Artifacts.Alertmanager), new JsonObject
        {
            ["type"] = "Opaque",
            ["data"] = new JsonObject { [Contract.AlertmanagerFile] = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) },
        });
    }

    /// <summary>The name of a bucket's ConfigMap, for patches of a single key.</summary>
    public static string BucketName(StackModel stack, string artifact, string bucket)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return Naming.StackObject(stack.Name, artifact, bucket);
    }

    /// <summary>The labels of every object of a stack that holds an artifact; also the selector by which sync watches.</summary>
    public static IReadOnlyDictionary<string, string> Labels(string stack, string artifact) => new Dictionary<string, string>
    {
        [Contract.StackLabel] = stack,
        [Contract.ArtifactLabel] = artifact,
    };

    private static Manifest Object(StackModel stack, string artifact, string? bucket, IEnumerable<KeyValuePair<string, string>> keys)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var labels = new Dictionary<string, string>(Labels(stack.Name, artifact));
        if (bucket is not null)
        {
            labels[Contract.BucketLabel] = bucket;
        }

        var data = new JsonObject();
        foreach ((string key, string value) in keys.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            data[key] = value;
        }

        return Manifest.Create(Kinds.ConfigMap, stack.Namespace, Naming.StackObject(stack.Name, artifact, bucket), labels, new JsonObject { ["data"] = data });
    }
}
