using OptiInfra.Cli.Output;

namespace OptiInfra.Cli.Commands;

public sealed class RenderCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("optiinfra-render-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_mistake_is_named_with_file_line_and_column_and_nothing_is_written()
    {
        Write("in/good.yaml", Agent("good", 80));
        Write("in/bad.yaml", Agent("bad", 70000));

        (int code, _, string error) = await Run($"render {folder}/in -o {folder}/out");

        Assert.Equal(1, code);
        Assert.Contains("bad.yaml:4:43: error: spec.target.port: 70000 is above 65535 [resource/value]", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "out")));
    }

    [Fact]
    public async Task What_was_deleted_since_the_last_run_is_removed_and_what_others_wrote_stays()
    {
        Write("in/a.yaml", Agent("a", 80));
        Write("in/b.yaml", Agent("b", 80));
        Assert.Equal(0, (await Run($"render {folder}/in -o {folder}/out")).Code);
        Write("out/scrape/own.yml", "scrape_configs: []");
        File.Delete(Path.Combine(folder, "in/b.yaml"));

        (int code, string output, _) = await Run($"render {folder}/in -o {folder}/out");

        Assert.Equal(0, code);
        Assert.Contains("files written to", output, StringComparison.Ordinal);
        Assert.Equal(["default.a.yml", "own.yml"], Directory.GetFiles(Path.Combine(folder, "out/scrape")).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("render /does/not/exist -o out", 2)]
    [InlineData("render", 2)]
    public async Task A_missing_folder_or_option_is_a_wrong_command_line(string line, int expected) => Assert.Equal(expected, (await Run(line)).Code);

    [Fact]
    public async Task A_folder_without_resources_is_a_mistake()
    {
        Directory.CreateDirectory(Path.Combine(folder, "in"));

        (int code, _, string error) = await Run($"render {folder}/in -o {folder}/out");

        Assert.Equal(1, code);
        Assert.Contains("there is no OptiAgent", error, StringComparison.Ordinal);
    }

    private static string Agent(string name, int port) =>
        $"apiVersion: optiinfra.io/v1alpha1\nkind: OptiAgent\nmetadata: {{name: {name}}}\nspec: {{target: {{service: {{name: a}}, port: {port}}}}}\n";

    private void Write(string file, string text)
    {
        string path = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private static async Task<(int Code, string Output, string Error)> Run(string line)
    {
        StringWriter output = new();
        StringWriter error = new();
        int code = await Program.RunAsync(line.Split(' '), Terminal.Plain(output, error));
        return (code, output.ToString(), error.ToString());
    }
}
