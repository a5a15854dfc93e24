using FsCheck;
using FsCheck.Fluent;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Kubernetes.Tests.Runtime;

public sealed class StoreTests
{
    private static ConfigMap Item(string ns, string name, string version, string team) => new()
    {
        Metadata = new ObjectMeta { Namespace = ns, Name = name, ResourceVersion = version, Uid = name, Labels = new Dictionary<string, string> { ["team"] = team } },
    };

    private static Store<ConfigMap> Teams() => new(new Dictionary<string, Func<ConfigMap, IEnumerable<string>>>
    {
        ["team"] = item => [item.Metadata.Labels!["team"]],
    });

    [Fact]
    public void Indexes_stay_right_over_ten_thousand_random_changes()
    {
        Store<ConfigMap> store = Teams();
        var model = new Dictionary<ObjectKey, ConfigMap>();
        var random = new Random(11);
        for (int i = 1; i <= 10_000; i++)
        {
            ConfigMap item = Item($"n{random.Next(3)}", $"c{random.Next(60)}", $"{i}", $"t{random.Next(5)}");
            var key = ObjectKey.Of(item);
            switch (random.Next(5))
            {
                case 0:
                    Assert.Equal(model.Remove(key), store.Delete(item) is not null);
                    break;
                case 1 when i % 100 == 0:
                    ConfigMap[] some = [.. model.Values.Where(_ => random.Next(2) == 0)];
                    store.Replace(some, null, initial: false);
                    model = some.ToDictionary(ObjectKey.Of);
                    break;
                default:
                    store.Upsert(item, out _);
                    model[key] = item;
                    break;
            }
        }

        for (int t = 0; t < 5; t++)
        {
            Assert.Equal(Names(model.Values.Where(item => item.Metadata.Labels!["team"] == $"t{t}")), Names(store.ByIndex("team", $"t{t}")));
        }

        for (int n = 0; n < 3; n++)
        {
            Assert.Equal(Names(model.Values.Where(item => item.Metadata.Namespace == $"n{n}")), Names(store.List($"n{n}")));
        }

        Assert.Equal(model.Count, store.Count);

        static IEnumerable<string> Names(IEnumerable<ConfigMap> items) => items.Select(item => ObjectKey.Of(item).ToString()).Order();
    }

    [Fact]
    public void Replacing_tells_exactly_what_changed()
    {
        Gen<Dictionary<int, int>> lists =
            from pairs in Gen.ListOf(Gen.Zip(Gen.Choose(0, 12), Gen.Choose(0, 3)))
            select pairs.DistinctBy(pair => pair.Item1).ToDictionary(pair => pair.Item1, pair => pair.Item2);
        Prop.ForAll(Gen.Zip(lists, lists).ToArbitrary(), pair =>
        {
            Store<ConfigMap> store = Teams();
            store.Replace(Items(pair.Item1), null, initial: true);
            List<StoreChange<ConfigMap>> changes = store.Replace(Items(pair.Item2), null, initial: false);
            IEnumerable<string> expected =
            [
                .. pair.Item1.Keys.Except(pair.Item2.Keys).Select(key => $"Deleted c{key} True"),
                .. pair.Item2.Keys.Except(pair.Item1.Keys).Select(key => $"Added c{key} False"),
                .. pair.Item2.Where(entry => pair.Item1.TryGetValue(entry.Key, out int version) && version != entry.Value).Select(entry => $"Updated c{entry.Key} False"),
            ];
            Assert.Equal(expected.Order(), changes.Select(change => $"{change.Kind} {change.Key.Name} {change.IsTombstone}").Order());
        }).QuickCheckThrowOnFailure();

        static List<ConfigMap> Items(Dictionary<int, int> versions) => [.. versions.Select(entry => Item("n", $"c{entry.Key}", $"v{entry.Value}", "t"))];
    }

    [Fact]
    public void A_replace_of_one_namespace_leaves_the_others_alone()
    {
        Store<ConfigMap> store = Teams();
        store.Replace([Item("a", "x", "1", "t")], "a", initial: true);
        store.Replace([Item("b", "y", "1", "t")], "b", initial: true);
        StoreChange<ConfigMap> gone = Assert.Single(store.Replace([], "a", initial: false));
        Assert.Equal(new ObjectKey("a", "x"), gone.Key);
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void An_index_that_was_not_declared_is_refused_with_those_that_were()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => Teams().ByIndex("colour", "red"));
        Assert.Contains("declared are: namespace, team", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Selectors_pick_from_the_store()
    {
        Store<ConfigMap> store = Teams();
        store.Replace([Item("a", "x", "1", "red"), Item("a", "y", "1", "blue"), Item("b", "z", "1", "red")], null, initial: true);
        var red = new LabelSelector { MatchLabels = new Dictionary<string, string> { ["team"] = "red" } };
        Assert.Equal(["x", "z"], store.List(null, red).Select(item => item.Metadata.Name!).Order());
        Assert.Equal(["x"], store.List("a", red).Select(item => item.Metadata.Name!));
    }
}
