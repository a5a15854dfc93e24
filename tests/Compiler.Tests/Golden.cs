namespace OptiInfra.Compiler.Tests;

/// <summary>Files of the repository that are generated: compared here, written when OPTIINFRA_GOLDEN=write (make golden).</summary>
internal static class Golden
{
    public static string Root { get; } = FindRoot();

    public static void Verify(string path, string actual)
    {
        string file = Path.Combine(Root, path);
        if (Environment.GetEnvironmentVariable("OPTIINFRA_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
            return;
        }

        Assert.True(File.Exists(file), $"{path} does not exist; run make golden.");
        Assert.Equal(File.ReadAllText(file), actual);
    }

    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "OptiInfra.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? throw new InvalidOperationException("The tests run inside the repository.");
    }
}
