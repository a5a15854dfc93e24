using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.Metrics;

/// <summary>
/// All series of one family: an open-addressing hash table for lookups and a list in order of creation for scrapes.
/// Reads take no lock: slots and list entries change one reference at a time, and growing publishes a new array.
/// Invariant: all writers hold the family's lock.
/// </summary>
internal sealed class SeriesTable
{
    /// <summary>Seeds the hash of label values, so that chosen values cannot make chosen collisions.</summary>
    private static readonly ulong Seed = MemoryMarshal.Read<ulong>(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>Takes the place of a removed series, so that probing goes on past it.</summary>
    private static readonly Series Tombstone = new TombstoneSeries();

    private Series?[] _slots = new Series?[4];
    private SeriesList _list = new(2);
    private int _used;

    public int Count { get; private set; }

    /// <summary>What a scrape walks. Removed series are null.</summary>
    public ReadOnlySpan<Series?> Snapshot()
    {
        SeriesList list = Volatile.Read(ref _list);
        return list.Items.AsSpan(0, Volatile.Read(ref list.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Series? Find(ReadOnlySpan<string> values, int hash)
    {
        Series?[] slots = Volatile.Read(ref _slots);
        int mask = slots.Length - 1;
        for (int index = hash & mask; ; index = (index + 1) & mask)
        {
            Series? candidate = slots[index];
            if (candidate is null)
            {
                return null;
            }

            if (candidate.Hash == hash && Matches(candidate.Values, values))
            {
                return candidate;
            }
        }
    }

    /// <summary>The same for tags of System.Diagnostics.Metrics, in the order of the labels, without copying their values first.</summary>
    public Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        ulong folded = Seed;
        foreach (ref readonly KeyValuePair<string, object?> tag in tags)
        {
            folded = Mix(TagText.Of(tag.Value), folded);
        }

        int hash = Finish(folded);
        Series?[] slots = Volatile.Read(ref _slots);
        int mask = slots.Length - 1;
        for (int index = hash & mask; slots[index] is { } candidate; index = (index + 1) & mask)
        {
            if (candidate.Hash == hash && Matches(candidate.Values, tags))
            {
                return candidate;
            }
        }

        return null;
    }

    public void Add(Series series)
    {
        if ((_used + 1) * 4 > _slots.Length * 3)
        {
            Rebuild(Math.Max(4, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(Count + 1) * 2)));
        }

        if (_list.Count == _list.Items.Length)
        {
            Volatile.Write(ref _list, Compacted());
        }

        series.Index = _list.Count;
        _list.Items[_list.Count] = series;
        Volatile.Write(ref _list.Count, _list.Count + 1);
        Place(_slots, series);
        _used++;
        Count++;
    }

    public void Remove(Series series)
    {
        int mask = _slots.Length - 1;
        for (int index = series.Hash & mask; _slots[index] is { } candidate; index = (index + 1) & mask)
        {
            if (ReferenceEquals(candidate, series))
            {
                Volatile.Write(ref _slots[index], Tombstone);
                _list.Items[series.Index] = null;
                Count--;
                return;
            }
        }
    }

    /// <summary>Gives every series new label values and finds their new places.</summary>
    public void Rekey(Func<string[], string[]> change)
    {
        foreach (Series? series in Snapshot())
        {
            series?.Rekey(change(series.Values));
        }

        Rebuild(_slots.Length);
    }

    /// <summary>Hashes label values: one multiplication folds sixteen bytes, far cheaper than hashing each string by itself.</summary>
    public static int HashOf(ReadOnlySpan<string> values)
    {
        ulong hash = Seed;
        foreach (string value in values)
        {
            hash = Mix(value, hash);
        }

        return Finish(hash);
    }

    private static int Finish(ulong hash) => (int)(hash ^ (hash >> 32));

    /// <summary>Reads the string in eight-character steps; the last step reads back from the end, so it may overlap the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(string value, ulong hash)
    {
        const int charsPerRead = sizeof(ulong) / sizeof(char);
        int length = value.Length;
        ref byte first = ref Unsafe.As<char, byte>(ref Unsafe.AsRef(in value.GetPinnableReference()));
        if (length >= charsPerRead)
        {
            int offset = 0;
            for (; length - offset > 2 * charsPerRead; offset += 2 * charsPerRead)
            {
                hash = Fold(Read<ulong>(ref first, offset), Read<ulong>(ref first, offset + charsPerRead) ^ hash);
            }

            return Fold(Read<ulong>(ref first, Math.Max(offset, length - (2 * charsPerRead))) + (ulong)length, Read<ulong>(ref first, length - charsPerRead) ^ hash);
        }

        (ulong start, ulong end) = length switch
        {
            0 => (0UL, 0UL),
            1 => (value[0], 0UL),
            _ => (Read<uint>(ref first, 0), Read<uint>(ref first, length - 2)),
        };
        return Fold((start << 8) + (ulong)length, end ^ hash);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Read<T>(ref byte first, int character)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref first, character * sizeof(char)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong left, ulong right)
    {
        ulong high = Math.BigMul(left ^ 0x9E3779B97F4A7C15UL, right, out ulong low);
        return high ^ low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Matches(string[] stored, ReadOnlySpan<string> values)
    {
        if (stored.Length != values.Length)
        {
            return false;
        }

        for (int index = 0; index < stored.Length; index++)
        {
            if (!string.Equals(stored[index], values[index]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Matches(string[] stored, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (stored.Length != tags.Length)
        {
            return false;
        }

        for (int index = 0; index < stored.Length; index++)
        {
            if (!string.Equals(stored[index], TagText.Of(tags[index].Value)))
            {
                return false;
            }
        }

        return true;
    }

    private static void Place(Series?[] slots, Series series)
    {
        int mask = slots.Length - 1;
        int index = series.Hash & mask;
        while (slots[index] is not null)
        {
            index = (index + 1) & mask;
        }

        Volatile.Write(ref slots[index], series);
    }

    private void Rebuild(int capacity)
    {
        var slots = new Series?[capacity];
        foreach (Series? series in Snapshot())
        {
            if (series is not null)
            {
                Place(slots, series);
            }
        }

        _used = Count;
        Volatile.Write(ref _slots, slots);
    }

    /// <summary>The list without its holes and with room to grow. A scrape under way goes on with the list it has.</summary>
    private SeriesList Compacted()
    {
        var list = new SeriesList(Math.Max(2, Count + (Count / 2) + 1));
        foreach (Series? series in Snapshot())
        {
            if (series is not null)
            {
                series.Index = list.Count;
                list.Items[list.Count++] = series;
            }
        }

        return list;
    }

    /// <summary>Items and count travel as one object, so that a reader never pairs one list with another's count.</summary>
    private sealed class SeriesList(int capacity)
    {
        public readonly Series?[] Items = new Series?[capacity];
        public int Count;
    }

    /// <summary>Has more label values than any family has labels, so no lookup ever matches it.</summary>
    private sealed class TombstoneSeries() : Series(null!, new string[LabelBuffer.Capacity + 1], 0);
}
