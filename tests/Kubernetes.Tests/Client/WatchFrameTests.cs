using System.Buffers;
using System.Text;
using System.Text.Json;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Tests.Client;

public sealed class WatchFrameTests
{
    private static WatchEvent<ConfigMap>? Read(byte[] frame) => WatchFrame.Read(new ReadOnlySequence<byte>(frame), KubeTypes.ConfigMaps);

    [Theory]
    [InlineData("""{"type":"ADDED","object":{"kind":"ConfigMap","metadata":{"name":"a","resourceVersion":"7"}}}""", WatchEventType.Added, "7", false)]
    [InlineData("""{"object":{"metadata":{"name":"a","resourceVersion":"8"}},"type":"MODIFIED","more":[1]}""", WatchEventType.Modified, "8", false)]
    [InlineData("""{"type":"DELETED","object":{"kind":"ConfigMap","metadata":{"name":"a","resourceVersion":"9"}}}""", WatchEventType.Deleted, "9", false)]
    [InlineData("""{"type":"BOOKMARK","object":{"kind":"ConfigMap","metadata":{"resourceVersion":"10"}}}""", WatchEventType.Bookmark, "10", false)]
    [InlineData("""{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"11","annotations":{"k8s.io/initial-events-end":"true"}}}}""", WatchEventType.Bookmark, "11", true)]
    public void Frames_say_what_they_say(string json, WatchEventType type, string version, bool ends)
    {
        WatchEvent<ConfigMap> next = Read(Encoding.UTF8.GetBytes(json))!;
        Assert.Equal((type, version, ends), (next.Type, next.ResourceVersion, next.EndsInitialEvents));
    }

    [Fact]
    public void An_error_frame_is_the_servers_error()
    {
        KubeApiException e = Assert.Throws<KubeApiException>(() => Read("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"""u8.ToArray()));
        Assert.True(e.IsExpired);
    }

    [Fact]
    public void Whatever_comes_is_read_or_refused_and_nothing_else()
    {
        string[] seeds =
        [
            """{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"n","resourceVersion":"7","labels":{"a":"b"},"creationTimestamp":"2026-01-01T00:00:00Z","ownerReferences":[{"apiVersion":"v1","kind":"K","name":"n","uid":"u"}]},"data":{"k":"v"},"binaryData":{"b":"AAEC"}}}""",
            """{"type":"BOOKMARK","object":{"kind":"ConfigMap","metadata":{"resourceVersion":"10","annotations":{"k8s.io/initial-events-end":"true"}}}}""",
            """{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old","details":{"causes":[{"reason":"x"}],"retryAfterSeconds":1}}}""",
        ];
        var random = new Random(2026);
        for (int i = 0; i < 60_000; i++)
        {
            byte[] frame = Mutate(Encoding.UTF8.GetBytes(seeds[i % seeds.Length]), random);
            try
            {
                Read(frame);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KubeApiException or WatchFrame.ForeignKindException)
            {
                // What the stream knows how to take.
            }
        }
    }

    private static byte[] Mutate(byte[] frame, Random random)
    {
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            int at = random.Next(frame.Length);
            int length = Math.Min(random.Next(1, 12), frame.Length - at);
            frame = random.Next(5) switch
            {
                0 => [.. frame[..at], .. frame[(at + length)..], (byte)' '],
                1 => [.. frame[..at], .. frame[at..(at + length)], .. frame[at..]],
                2 => [.. frame[..at], (byte)"{}[]\",:0-\\"[random.Next(10)], .. frame[at..]],
                3 => [.. frame[..at], (byte)random.Next(256), .. frame[(at + 1)..]],
                _ => frame[..Math.Max(1, at)],
            };
        }

        return frame;
    }
}
