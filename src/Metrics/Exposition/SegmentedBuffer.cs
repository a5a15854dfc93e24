using System.Buffers;

namespace OptiInfra.Metrics.Exposition;

/// <summary>
/// A body in segments of equal size, taken from and given back to a pool that remembers as many as the last body needed:
/// scraping again and again allocates nothing, and no segment is large enough for the large-object heap.
/// </summary>
internal sealed class SegmentedBuffer(SegmentPool pool) : IBufferWriter<byte>, IDisposable
{
    private readonly List<(byte[] Bytes, int Length)> _full = [];
    private byte[]? _open;
    private int _used;

    public long Length { get; private set; }

    public void Advance(int count)
    {
        _used += count;
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return _open.AsMemory(_used);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return _open.AsSpan(_used);
    }

    public IEnumerable<ReadOnlyMemory<byte>> Segments()
    {
        foreach ((byte[] bytes, int length) in _full)
        {
            yield return bytes.AsMemory(0, length);
        }

        if (_used > 0)
        {
            yield return _open.AsMemory(0, _used);
        }
    }

    public void Dispose()
    {
        int count = _full.Count + (_open is null ? 0 : 1);
        foreach ((byte[] bytes, _) in _full)
        {
            pool.Return(bytes, count);
        }

        if (_open is not null)
        {
            pool.Return(_open, count);
        }

        _full.Clear();
        _open = null;
        _used = 0;
        Length = 0;
    }

    private void Ensure(int size)
    {
        if (_open is not null && _open.Length - _used >= Math.Max(1, size))
        {
            return;
        }

        if (_open is not null)
        {
            _full.Add((_open, _used));
        }

        _open = size <= SegmentPool.SegmentSize ? pool.Rent() : new byte[size];
        _used = 0;
    }
}

/// <summary>Segments waiting for the next scrape.</summary>
internal sealed class SegmentPool
{
    public const int SegmentSize = 64 * 1024;

    private readonly Stack<byte[]> _free = [];

    public byte[] Rent()
    {
        lock (_free)
        {
            return _free.TryPop(out byte[]? segment) ? segment : new byte[SegmentSize];
        }
    }

    /// <summary>Keeps the segment while fewer than <paramref name="wanted"/> are kept, and forgets what is beyond.</summary>
    public void Return(byte[] segment, int wanted)
    {
        lock (_free)
        {
            if (segment.Length == SegmentSize && _free.Count < wanted)
            {
                _free.Push(segment);
            }

            while (_free.Count > wanted)
            {
                _free.Pop();
            }
        }
    }
}
