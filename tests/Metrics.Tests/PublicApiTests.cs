using System.Reflection;
using System.Text;

namespace OptiInfra.Metrics.Tests;

/// <summary>
/// What the package promises is a text in the repository. A change of it is a change of the promise: run the test with
/// UPDATE_PUBLIC_API=1 to write the new text, and review the difference.
/// </summary>
public sealed class PublicApiTests
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void The_public_API_is_the_approved_one()
    {
        string path = Path.Combine(RepositoryRoot(), "src", "Metrics", "PublicApi.txt");
        string actual = Describe(typeof(MetricRegistry).Assembly);
        if (Environment.GetEnvironmentVariable("UPDATE_PUBLIC_API") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), actual);
    }

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : "class";
            text.Append($"{kind} {Name(type)}\n");
            IEnumerable<string> lines = type.IsEnum
                ? Enum.GetNames(type)
                : type.GetMembers(Members).Select(Describe).OfType<string>();
            foreach (string line in lines.Order(StringComparer.Ordinal).Distinct())
            {
                text.Append($"  {line}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>What records and the compiler add by themselves is no promise of ours.</summary>
    private static string? Describe(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{Name(property.PropertyType)} {property.Name}{(property.SetMethod is { IsPublic: true } ? " { get; init; }" : " { get; }")}",
        FieldInfo field => $"{Name(field.FieldType)} {field.Name}",
        ConstructorInfo constructor when !IsCopy(constructor) => $"new({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when method.Name is not ("<Clone>$" or "ToString" or "Equals" or "GetHashCode" or "Deconstruct" or "PrintMembers") =>
            $"{Name(method.ReturnType)} {method.Name}{(method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "")}({Parameters(method)})",
        _ => null,
    };

    private static bool IsCopy(ConstructorInfo constructor) => constructor.GetParameters() is [var only] && only.ParameterType == constructor.DeclaringType;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = default" : "")}"));

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        string name = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Assembly == typeof(MetricRegistry).Assembly ? type.FullName ?? type.Name : type.Name;
        int tick = name.IndexOf('`', StringComparison.Ordinal);
        return type.IsGenericType && tick >= 0 ? $"{name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OptiInfra.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("OptiInfra.sln is in no folder above the tests");
    }
}
