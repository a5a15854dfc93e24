using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace OptiInfra.PromQL.Data;

/// <summary>
/// The hash by which Prometheus tells series apart: XXH64 over names and values, each followed by a byte 0xFF
/// (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). limit_ratio() chooses series by it.
/// </summary>
internal static class LabelHash
{
    private const ulong Prime1 = 11400714785074694791, Prime2 = 14029467366897019727, Prime3 = 1609587929392839161,
        Prime4 = 9650029242287828579, Prime5 = 2870177450012600261;

    public static ulong Of(Labels labels)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (Label label in labels)
        {
            Encoding.UTF8.GetBytes(label.Name, bytes);
            bytes.Write<byte>([0xFF]);
            Encoding.UTF8.GetBytes(label.Value, bytes);
            bytes.Write<byte>([0xFF]);
        }
        return Of(bytes.WrittenSpan);
    }

    public static ulong Of(ReadOnlySpan<byte> data)
    {
        ulong length = (ulong)data.Length;
        ulong hash = Prime5;
        if (data.Length >= 32)
        {
            hash = Stripes(ref data);
        }
        hash += length;
        for (; data.Length >= 8; data = data[8..])
        {
            hash = BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(data)), 27) * Prime1 + Prime4;
        }
        if (data.Length >= 4)
        {
            hash = BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(data) * Prime1), 23) * Prime2 + Prime3;
            data = data[4..];
        }
        foreach (byte one in data)
        {
            hash = BitOperations.RotateLeft(hash ^ (one * Prime5), 11) * Prime1;
        }
        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    private static ulong Stripes(ref ReadOnlySpan<byte> data)
    {
        ulong a = unchecked(Prime1 + Prime2), b = Prime2, c = 0, d = unchecked(0UL - Prime1);
        for (; data.Length >= 32; data = data[32..])
        {
            a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(data));
            b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(data[8..]));
            c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(data[16..]));
            d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(data[24..]));
        }
        ulong hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        foreach (ulong lane in new[] { a, b, c, d })
        {
            hash = (hash ^ Round(0, lane)) * Prime1 + Prime4;
        }
        return hash;
    }

    private static ulong Round(ulong lane, ulong input) => BitOperations.RotateLeft(lane + (input * Prime2), 31) * Prime1;
}
