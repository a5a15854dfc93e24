using System.Buffers;
using System.Runtime.CompilerServices;

namespace OptiInfra.Metrics.Exposition;

/// <summary>
/// Appends bytes to a buffer writer with one bounds decision per line: reserve the line's greatest length, then write.
/// Call <see cref="Complete"/> at the end, or the last lines are lost.
/// </summary>
internal ref struct TextSink(IBufferWriter<byte> output)
{
    private const int ChunkSize = 32 * 1024;

    private Span<byte> _space;
    private int _used;

    /// <summary>Bytes handed out so far.</summary>
    public long Written { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Reserve(int size)
    {
        if (_space.Length - _used < size)
        {
            Next(size);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_space[_used..]);
        _used += bytes.Length;
    }

    /// <summary>Bytes of any length, reserved here.</summary>
    public void Block(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        Raw(bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Byte(byte value) => _space[_used++] = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Number(long value) => _used += NumberText.Write(_space[_used..], value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Number(double value, bool asFloat) => _used += NumberText.Write(_space[_used..], value, asFloat);

    public void Complete()
    {
        output.Advance(_used);
        Written += _used;
        _space = default;
        _used = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Next(int size)
    {
        if (_used > 0)
        {
            Complete();
        }

        _space = output.GetSpan(Math.Max(size, ChunkSize));
    }
}
