using OptiInfra.Compiler.Compile;

namespace OptiInfra.Compiler.Tests.Compile;

public sealed class BucketPlanTests
{
    private static readonly string Value = new('x', 1000);

    [Fact]
    public void One_bucket_holds_all_while_it_is_small_enough()
    {
        var plan = new BucketPlan(limit: 10_000);
        for (int i = 0; i < 9; i++)
        {
            Assert.Empty(plan.Put(Key(i), Value));
        }

        Assert.Equal(["b"], plan.Buckets);
        Assert.Equal(9, plan.KeysOf("b").Count);
    }

    [Fact]
    public void No_bucket_outgrows_the_limit_and_every_key_stays_findable()
    {
        var plan = new BucketPlan(limit: 50_000);
        for (int i = 0; i < 2_000; i++)
        {
            plan.Put(Key(i), Value);
        }

        Assert.All(plan.Buckets, bucket => Assert.True(plan.KeysOf(bucket).Count * 1_020 <= 50_000 + 1_020));
        Assert.Equal(2_000, plan.Buckets.Sum(bucket => plan.KeysOf(bucket).Count));
        Assert.All(Enumerable.Range(0, 2_000), i => Assert.Contains(Key(i), plan.KeysOf(plan.BucketOf(Key(i)))));
    }

    [Fact]
    public void Growth_moves_keys_out_of_one_bucket_only_and_about_half_of_them()
    {
        var plan = new BucketPlan(limit: 100_000);
        List<KeyMove> moves = [];
        int i = 0;
        while (moves.Count == 0)
        {
            moves.AddRange(plan.Put(Key(i++), Value));
        }

        Assert.Single(moves.Select(move => (move.From, move.To)).Distinct());
        Assert.InRange(moves.Count, i * 0.3, i * 0.7);
    }

    [Fact]
    public void A_key_is_found_again_from_the_names_of_the_buckets_alone()
    {
        var plan = new BucketPlan(limit: 30_000);
        for (int i = 0; i < 1_000; i++)
        {
            plan.Put(Key(i), Value);
        }

        var restarted = new BucketPlan(plan.Buckets, limit: 30_000);

        Assert.All(Enumerable.Range(0, 1_000), i => Assert.Equal(plan.BucketOf(Key(i)), restarted.BucketOf(Key(i))));
    }

    [Fact]
    public void The_order_of_arrival_does_not_matter()
    {
        var forward = new BucketPlan(limit: 20_000);
        var backward = new BucketPlan(limit: 20_000);
        for (int i = 0; i < 500; i++)
        {
            forward.Put(Key(i), Value);
            backward.Put(Key(499 - i), Value);
        }

        Assert.Equal(forward.Buckets, backward.Buckets);
        Assert.All(Enumerable.Range(0, 500), i => Assert.Equal(forward.BucketOf(Key(i)), backward.BucketOf(Key(i))));
    }

    [Fact]
    public void Removed_keys_make_room_and_nothing_moves()
    {
        var plan = new BucketPlan(limit: 5_000);
        for (int i = 0; i < 100; i++)
        {
            plan.Put(Key(i), Value);
        }

        string[] before = [.. plan.Buckets];
        string[] places = [.. Enumerable.Range(50, 50).Select(i => plan.BucketOf(Key(i)))];
        for (int i = 0; i < 50; i++)
        {
            plan.Remove(Key(i));
        }

        Assert.Equal(before, plan.Buckets);
        Assert.Equal(places, Enumerable.Range(50, 50).Select(i => plan.BucketOf(Key(i))));
    }

    [Fact]
    public void A_lost_bucket_in_the_middle_does_not_lose_its_children()
    {
        // b1 and b11 exist because b and b1 were split; someone deleted the ConfigMap of b1.
        var plan = new BucketPlan(["b", "b11"]);

        Assert.Equal(["b", "b1", "b11"], plan.Buckets);
    }

    private static string Key(int i) => $"shop.agent-{i}.yml";
}
