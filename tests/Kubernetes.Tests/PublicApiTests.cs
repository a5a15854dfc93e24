using System.Reflection;
using System.Text;
using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Kubernetes.Tests;

/// <summary>
/// The public surface is small on purpose, and a text in the repository. To change it, run this test with UPDATE_PUBLIC_API=1 and
/// review the difference.
/// </summary>
public sealed class PublicApiTests
{
    private const BindingFlags Own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void The_public_API_is_the_approved_one()
    {
        string path = Path.Combine(Root(), "src", "Kubernetes", "PublicApi.txt");
        string actual = string.Concat(typeof(KubeClient).Assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal).Select(Describe));
        if (Environment.GetEnvironmentVariable("UPDATE_PUBLIC_API") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), actual);
    }

    private static string Describe(Type type)
    {
        IEnumerable<string> members = type.IsEnum ? Enum.GetNames(type) : type.GetMembers(Own).Select(Describe).OfType<string>();
        var text = new StringBuilder($"{type.Namespace}.{Name(type)}\n");
        foreach (string member in members.Distinct().Order(StringComparer.Ordinal))
        {
            text.Append($"  {member}\n");
        }

        return text.ToString();
    }

    // What the compiler adds to records by itself is not listed.
    private static string? Describe(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{property.Name}: {Name(property.PropertyType)}{(property.SetMethod?.IsPublic == true ? "" : " (read)")}",
        FieldInfo field => $"{field.Name}: {Name(field.FieldType)}",
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when !method.Name.Contains('<', StringComparison.Ordinal) && method.Name is not ("ToString" or "Equals" or "GetHashCode" or "Deconstruct") =>
            $"{method.Name}({Parameters(method)}): {Name(method.ReturnType)}",
        _ => null,
    };

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}"));

    private static string Name(Type type) => type.IsGenericType
        ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OptiInfra.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
