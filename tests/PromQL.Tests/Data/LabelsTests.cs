using System.Text;
using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Tests.Data;

public sealed class LabelsTests
{
    private static readonly Labels Up = Labels.From([new Label("job", "x"), new Label(Labels.MetricName, "up"), new Label("empty", "")]);

    [Fact]
    public void Labels_are_sorted_and_empty_ones_are_none() => Assert.Equal("{__name__=\"up\", job=\"x\"}", Up.ToString());

    [Theory]
    [InlineData("job", "y", "{__name__=\"up\", job=\"y\"}")]
    [InlineData("job", "", "{__name__=\"up\"}")]
    [InlineData("a", "1", "{__name__=\"up\", a=\"1\", job=\"x\"}")]
    [InlineData("z", "1", "{__name__=\"up\", job=\"x\", z=\"1\"}")]
    public void One_label_can_be_changed(string name, string value, string expected) => Assert.Equal(expected, Up.With(name, value).ToString());

    [Fact]
    public void Equality_is_by_content()
    {
        Labels same = Labels.Empty.With("job", "x").With(Labels.MetricName, "up");

        Assert.Equal(Up, same);
        Assert.Equal(Up.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(Up, same.WithoutName());
    }

    [Fact]
    public void People_write_the_name_first() => Assert.Equal("up{job=\"x\"}", Up.ToSeriesString());

    [Theory]
    [InlineData("", 0xef46db3751d8e999)]
    [InlineData("a", 0xd24ec4f1a98c6e5b)]
    [InlineData("Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1)]
    public void The_hash_is_XXH64(string text, ulong expected) => Assert.Equal(expected, LabelHash.Of(Encoding.UTF8.GetBytes(text)));
}
