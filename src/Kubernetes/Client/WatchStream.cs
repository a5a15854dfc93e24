using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

public enum WatchEventType
{
    Added,
    Modified,
    Deleted,

    /// <summary>No object: the watch has reached <see cref="WatchEvent{T}.ResourceVersion"/>.</summary>
    Bookmark,
}

/// <summary>One frame of a watch. Bookmarks have no object.</summary>
public sealed record WatchEvent<T>(WatchEventType Type, T? Item, string ResourceVersion, bool EndsInitialEvents = false)
    where T : class, IKubeObject;

/// <summary>
/// A watch on the wire: JSON frames, one a line. Frames of a foreign kind are counted and skipped; a frame that cannot be
/// read throws, because nobody can know what it said.
/// </summary>
internal sealed class WatchStream<T>(KubeResponse response, Stream body, ResourceType<T> type, KubeMetrics metrics) : IAsyncDisposable
    where T : class, IKubeObject
{
    private const int MaxFrame = 64 * 1024 * 1024;

    private readonly PipeReader reader = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 16 * 1024));

    /// <summary>The next event, or null at the end of the watch.</summary>
    public async Task<WatchEvent<T>?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                ReadResult read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = read.Buffer;
                SequencePosition? end = buffer.PositionOf((byte)'\n');
                if (end is null && !read.IsCompleted)
                {
                    if (buffer.Length > MaxFrame)
                    {
                        throw new KubeFormatException($"watch of {type.Kind.Plural}: a frame is longer than {MaxFrame} bytes");
                    }

                    reader.AdvanceTo(buffer.Start, buffer.End);
                    continue;
                }

                ReadOnlySequence<byte> frame = end is { } newline ? buffer.Slice(0, newline) : buffer;
                WatchEvent<T>? next = frame.IsEmpty ? null : Decode(frame);
                reader.AdvanceTo(end is { } position ? buffer.GetPosition(1, position) : buffer.End);
                if (next is not null)
                {
                    return next;
                }

                if (end is null)
                {
                    return null;
                }
            }
        }
        catch (Exception e) when (KubeTransport.IsFailure(e))
        {
            throw KubeTransport.Failure($"watch of {type.Kind.Plural}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await reader.CompleteAsync().ConfigureAwait(false);
        response.Dispose();
    }

    private WatchEvent<T>? Decode(ReadOnlySequence<byte> frame)
    {
        try
        {
            return WatchFrame.Read(frame, type);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            metrics.WatchFrameRejected(type.Kind.Plural);
            throw new KubeFormatException($"watch of {type.Kind.Plural}: a frame cannot be read: {e.Message}", e);
        }
        catch (WatchFrame.ForeignKindException)
        {
            metrics.WatchFrameRejected(type.Kind.Plural);
            return null;
        }
    }
}

/// <summary>The decoder of one frame: <c>{"type": …, "object": …}</c>, in either order.</summary>
internal static class WatchFrame
{
    internal sealed class ForeignKindException : Exception;

    public static WatchEvent<T>? Read<T>(ReadOnlySequence<byte> frame, ResourceType<T> type)
        where T : class, IKubeObject
    {
        var reader = new Utf8JsonReader(frame, new JsonReaderOptions { MaxDepth = 256 });
        if (!reader.Read())
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("an object was expected");
        }

        string? eventType = null;
        Utf8JsonReader body = default;
        bool hasBody = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isType = reader.ValueTextEquals("type"u8);
            bool isBody = reader.ValueTextEquals("object"u8);
            reader.Read();
            if (isType)
            {
                eventType = reader.GetString();
            }
            else if (isBody)
            {
                body = reader;
                hasBody = true;
            }

            reader.Skip();
        }

        if (eventType is null || !hasBody)
        {
            throw new JsonException("a watch frame has a type and an object");
        }

        return Event(eventType, ref body, type);
    }

    private static WatchEvent<T> Event<T>(string eventType, ref Utf8JsonReader body, ResourceType<T> type)
        where T : class, IKubeObject
    {
        WatchEventType known;
        switch (eventType)
        {
            case "ERROR":
                throw Error(JsonSerializer.Deserialize(ref body, KubeJson.Default.KubeStatus));
            case "BOOKMARK":
                ObjectMeta? at = JsonSerializer.Deserialize(ref body, KubeJson.Default.PartialObject)?.Metadata;
                bool ends = at?.Annotations?.GetValueOrDefault("k8s.io/initial-events-end") == "true";
                return new WatchEvent<T>(WatchEventType.Bookmark, null, at?.ResourceVersion ?? "", ends);
            case "ADDED":
                known = WatchEventType.Added;
                break;
            case "MODIFIED":
                known = WatchEventType.Modified;
                break;
            case "DELETED":
                known = WatchEventType.Deleted;
                break;
            default:
                throw new JsonException($"unknown event type \"{eventType}\"");
        }

        if (KindOf(body) is { } kind && kind != type.Kind.Kind && typeof(T) != typeof(PartialObject))
        {
            throw kind == "Status" ? Error(JsonSerializer.Deserialize(ref body, KubeJson.Default.KubeStatus)) : new ForeignKindException();
        }

        T found = JsonSerializer.Deserialize(ref body, type.Json) ?? throw new JsonException("the object is null");
        // An explicit null gets past the types.
        return found.Metadata is { Name.Length: > 0 }
            ? new WatchEvent<T>(known, found, found.Metadata.ResourceVersion ?? "")
            : throw new JsonException("the object has no name");
    }

    // The reader is a copy: looking ahead does not move the caller's.
    private static string? KindOf(Utf8JsonReader probe)
    {
        while (probe.Read() && probe.TokenType == JsonTokenType.PropertyName)
        {
            bool isKind = probe.ValueTextEquals("kind"u8);
            probe.Read();
            if (isKind)
            {
                return probe.TokenType == JsonTokenType.String ? probe.GetString() : null;
            }

            probe.Skip();
        }

        return null;
    }

    private static KubeApiException Error(KubeStatus? status)
    {
        var code = (HttpStatusCode)(status?.Code ?? 500);
        return new KubeApiException(code, status, $"watch: {status?.Message ?? "the server sent an error without a message"}");
    }
}
