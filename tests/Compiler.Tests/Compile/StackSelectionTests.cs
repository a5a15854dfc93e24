using OptiInfra.Compiler.Compile;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Tests.Compile;

public sealed class StackSelectionTests
{
    [Fact]
    public void The_default_stack_serves_whoever_names_none()
    {
        Assert.Equal("default", Serving(null, "shop", Stack("a"), Stack("default")));
        Assert.Equal("a", Serving(null, "shop", Stack("b"), Stack("a")));
    }

    [Fact]
    public void A_named_stack_serves_only_the_namespaces_it_accepts()
    {
        MonitoringStack picky = Stack("picky", new() { MatchNames = ["shop"] });

        Assert.Equal("picky", Serving(new() { Name = "picky" }, "shop", Stack("default"), picky));
        Assert.Null(Serving(new() { Name = "picky" }, "other", Stack("default"), picky));
    }

    [Fact]
    public void Namespaces_are_accepted_by_their_labels()
    {
        MonitoringStack stack = Stack("a", new() { Selector = new() { MatchLabels = new Dictionary<string, string> { ["team"] = "x" } } });

        Assert.True(StackSelection.Accepts(stack, "any", new Dictionary<string, string> { ["team"] = "x" }));
        Assert.False(StackSelection.Accepts(stack, "any", null));
    }

    [Fact]
    public void A_selector_that_says_nothing_accepts_nobody() => Assert.False(StackSelection.Accepts(Stack("a", new()), "shop", null));

    private static string? Serving(StackReference? wanted, string ns, params MonitoringStack[] stacks) =>
        StackSelection.For(wanted, ns, null, stacks)?.Metadata.Name;

    private static MonitoringStack Stack(string name, NamespaceSelector? namespaces = null) =>
        new() { Metadata = new() { Name = name, Namespace = "monitoring" }, Spec = new() { Namespaces = namespaces } };
}
