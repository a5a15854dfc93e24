using OptiInfra.Compiler.Model;

namespace OptiInfra.Compiler.Tests.Compile;

public sealed class NamingTests
{
    [Fact]
    public void Long_names_stay_valid_and_different()
    {
        string one = Naming.StackObject(new string('a', 63), Artifacts.Scrape, "b0");
        string two = Naming.StackObject(new string('a', 63), Artifacts.Scrape, "b1");

        Assert.NotEqual(one, two);
        Assert.All([one, two], name => Assert.InRange(name.Length, 1, 63));
    }

    [Fact]
    public void Dashes_in_names_do_not_make_two_objects_one() =>
        Assert.NotEqual(Naming.AgentObject("a-b", "c"), Naming.AgentObject("a", "b-c"));

    [Fact]
    public void Short_names_stay_readable()
    {
        Assert.Equal("optiinfra-default-rules-b0", Naming.StackObject("default", Artifacts.Rules, "b0"));
        Assert.Equal("cost-agent-ledger", Naming.AgentObject("cost-agent", "ledger"));
    }

    [Fact]
    public void Secrets_of_two_namespaces_never_share_a_file() =>
        Assert.NotEqual(Naming.SecretFile("a", "s", "k"), Naming.SecretFile("b", "s", "k"));
}
