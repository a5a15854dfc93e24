using OptiInfra.Cli.Output;

namespace OptiInfra.Cli;

public sealed class ProgramTests
{
    [Theory]
    [InlineData("--help", 0)]
    [InlineData("--version", 0)]
    [InlineData("doctor", 0)]
    [InlineData("no-such-command", 2)]
    [InlineData("doctor --no-such-option", 2)]
    public async Task The_exit_code_says_whether_the_command_line_was_understood(string line, int expected)
    {
        (int code, _, _) = await Run(line);

        Assert.Equal(expected, code);
    }

    [Fact]
    public async Task Results_go_to_output_and_problems_to_error()
    {
        (_, string output, string error) = await Run("--version");
        Assert.Matches(@"^\d+\.\d+\.\d+", output);
        Assert.Empty(error);

        (_, _, string problem) = await Run("doctor --no-such-option");
        Assert.Contains("--no-such-option", problem, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> Run(string line)
    {
        StringWriter output = new();
        StringWriter error = new();
        int code = await Program.RunAsync(line.Split(' '), Terminal.Plain(output, error));
        return (code, output.ToString(), error.ToString());
    }
}
