using System.Net;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using static OptiInfra.Kubernetes.Runtime.ReflectorState;

namespace OptiInfra.Kubernetes.Tests.Runtime;

/// <summary>The whole protocol as a table: state and outcome, and what comes next.</summary>
public sealed class ReflectorStateTests
{
    private static readonly KubeException Expired = Api(410, "Expired");
    private static readonly KubeException Busy = Api(429, "TooManyRequests");
    private static readonly KubeException Internal = Api(500, "InternalError");
    private static readonly KubeException Forbidden = Api(403, "Forbidden");
    private static readonly KubeException Unsupported = Api(422, "Invalid");
    private static readonly KubeException Broken = new KubeTransportException("broken");
    private static readonly KubeException Garbage = new KubeFormatException("garbage");

    private static readonly (ReflectorState State, Outcome Outcome, ReflectorState Next)[] Table =
    [
        (new Listing("0"), new Outcome.Listed("5"), new Watching("5")),
        (new Listing("0"), Failed(Expired), new Listing("")),
        (new Listing(""), Failed(Expired), new Waiting(new Listing(""), "Expired")),
        (new Listing("7"), Failed(Forbidden), new Waiting(new Listing("7"), "Forbidden")),
        (new Listing("7"), Failed(Broken), new Waiting(new Listing("7"), "connection broken")),

        (new Streaming(""), new Outcome.Listed("5"), new Watching("5")),
        (new Streaming(""), Failed(Unsupported), new Listing("")),
        (new Streaming("3"), Failed(Expired), new Listing("")),
        (new Streaming(""), Failed(Broken), new Waiting(new Listing(""), "connection broken")),
        (new Streaming("3"), new Outcome.Ended("3", VeryShort: true), new Waiting(new Listing("3"), "initial stream ended early")),

        (new Watching("5"), new Outcome.Ended("9", VeryShort: false), new Watching("9")),
        (new Watching("5"), new Outcome.Ended("5", VeryShort: true), new Waiting(new Watching("5"), "very short watch")),
        (new Watching("5"), Failed(Expired, "9"), new Listing("")),
        (new Watching("5"), Failed(Busy, "9"), new Waiting(new Watching("9"), "TooManyRequests")),
        (new Watching("5"), Failed(Internal, "9"), new Waiting(new Watching("9"), "InternalError")),
        (new Watching("5"), new Outcome.Failed(Internal, "9", RetryInternalErrors: false), new Waiting(new Listing("9"), "InternalError")),
        (new Watching("5"), Failed(Broken, "9"), new Waiting(new Watching("9"), "connection broken")),
        (new Watching("5"), Failed(Garbage, "9"), new Waiting(new Listing("9"), "unreadable answer")),
        (new Watching("5"), Failed(Forbidden, "9"), new Waiting(new Listing("9"), "Forbidden")),

        (new Waiting(new Watching("5"), "x"), new Outcome.Waited(), new Watching("5")),
    ];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, Table.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_outcome_has_its_next_state(int row)
    {
        (ReflectorState state, Outcome outcome, ReflectorState next) = Table[row];
        Assert.Equal(next, Next(state, outcome));
    }

    [Fact]
    public void An_outcome_that_cannot_be_is_a_bug() =>
        Assert.Throws<InvalidOperationException>(() => Next(new Watching("5"), new Outcome.Listed("6")));

    [Fact]
    public void Waits_stay_in_their_envelope_and_start_over_after_two_good_minutes()
    {
        var time = new VirtualTime();
        var backoff = new Backoff(time, new Random(5));
        double low = 0.8;
        for (int i = 0; i < 10; i++)
        {
            TimeSpan wait = backoff.Next();
            Assert.InRange(wait.TotalSeconds, low, 2 * low);
            low = Math.Min(low * 2, 30);
            time.Advance(wait);
        }

        time.Advance(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(61));
        Assert.InRange(backoff.Next().TotalSeconds, 0.8, 1.6);
    }

    [Fact]
    public void A_condition_moves_its_time_only_when_its_status_flips()
    {
        DateTimeOffset t1 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var ready = new Condition { Type = "Ready", Status = Condition.True, Reason = "Fine", Message = "", LastTransitionTime = t1 };
        IReadOnlyList<Condition> one = Conditions.Set(null, ready);
        IReadOnlyList<Condition> same = Conditions.Set(one, ready with { Reason = "Better", LastTransitionTime = t1.AddHours(1) });
        Assert.Equal(("Better", t1), (same[0].Reason, same[0].LastTransitionTime));
        IReadOnlyList<Condition> flipped = Conditions.Set(same, ready with { Status = Condition.False, LastTransitionTime = t1.AddHours(2) });
        Assert.Equal(t1.AddHours(2), flipped[0].LastTransitionTime);
        Assert.False(Conditions.IsTrue(flipped, "Ready"));
    }

    [Fact]
    public void A_second_controller_is_refused_and_a_foreign_namespace_too()
    {
        var manifest = new System.Text.Json.Nodes.JsonObject { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = "x", ["namespace"] = "ns" } };
        var owner = new ObjectMeta { Name = "a", Namespace = "ns", Uid = "1" };
        OwnerReferences.SetController(manifest, Widget.Type.Kind, owner);
        OwnerReferences.SetController(manifest, Widget.Type.Kind, owner); // again is fine
        Assert.Throws<AlreadyOwnedException>(() => OwnerReferences.SetController(manifest, Widget.Type.Kind, owner with { Name = "b", Uid = "2" }));
        Assert.Throws<ArgumentException>(() => OwnerReferences.SetController(manifest, Widget.Type.Kind, owner with { Namespace = "elsewhere" }));
        Assert.Single(manifest["metadata"]!["ownerReferences"]!.AsArray());
    }

    private static Outcome.Failed Failed(KubeException error, string version = "") => new(error, version);

    private static KubeApiException Api(int code, string reason) =>
        new((HttpStatusCode)code, new KubeStatus { Code = code, Reason = reason }, reason);
}
