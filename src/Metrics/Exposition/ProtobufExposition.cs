using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace OptiInfra.Metrics.Exposition;

/// <summary>
/// Writes families as length-delimited <c>io.prometheus.client.MetricFamily</c> messages, by hand: the format needs varints, doubles
/// and nested lengths, no library. It is the only format with native histograms.
/// https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
/// </summary>
internal static class ProtobufExposition
{
    private const int TypeCounter = 0;
    private const int TypeGauge = 1;
    private const int TypeSummary = 2;
    private const int TypeHistogram = 4;

    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<MetricFamily> families, ExpositionFormat format)
    {
        var message = new ProtobufMessage();
        foreach (MetricFamily family in families)
        {
            if (family.SeriesCount > 0)
            {
                message.Clear();
                WriteFamily(message, family, format.Escaping);
                message.CopyDelimited(output);
            }
        }
    }

    private static void WriteFamily(ProtobufMessage message, MetricFamily family, EscapingScheme scheme)
    {
        string name = NameEscaping.Escape(family.Name, scheme);
        message.String(1, name);
        message.String(2, family.Help);
        message.Integer(3, family.Type switch
        {
            MetricType.Counter => TypeCounter,
            MetricType.Histogram => TypeHistogram,
            MetricType.Summary => TypeSummary,
            _ => TypeGauge,
        });
        foreach (Series? series in family.Snapshot())
        {
            switch (series)
            {
                case null:
                    break;
                case StateSetSeries states:
                    WriteStates(message, family, states, name, scheme);
                    break;
                default:
                    int metric = message.Begin(4);
                    WriteLabels(message, family, series, scheme);
                    WriteValue(message, series);
                    message.End(metric);
                    break;
            }
        }

        if (family.Unit is { Length: > 0 } && family.BaseName.EndsWith("_" + family.Unit, StringComparison.Ordinal))
        {
            message.String(5, family.Unit);
        }
    }

    private static void WriteLabels(ProtobufMessage message, MetricFamily family, Series series, EscapingScheme scheme)
    {
        foreach ((string name, string value) in family.Registry.Options.StaticLabels)
        {
            WriteLabel(message, NameEscaping.Escape(name, scheme, isLabel: true), value);
        }

        for (int index = 0; index < series.Values.Length; index++)
        {
            WriteLabel(message, NameEscaping.Escape(family.LabelNames[index], scheme, isLabel: true), series.Values[index]);
        }
    }

    private static void WriteLabel(ProtobufMessage message, string name, string value)
    {
        int label = message.Begin(1);
        message.String(1, name);
        message.String(2, value);
        message.End(label);
    }

    private static void WriteValue(ProtobufMessage message, Series series)
    {
        switch (series)
        {
            case CounterSeries counter:
                int total = message.Begin(3);
                message.Double(1, counter.Value);
                WriteExemplar(message, 2, counter.Exemplar);
                WriteTime(message, 3, counter.CreatedMilliseconds);
                message.End(total);
                break;
            case HistogramSeries histogram:
                WriteHistogram(message, histogram);
                break;
            case SummarySeries summary:
                WriteSummary(message, summary);
                break;
            default:
                int gauge = message.Begin(2);
                message.Double(1, series is GaugeSeries value ? value.Value : 1);
                message.End(gauge);
                break;
        }
    }

    private static void WriteStates(ProtobufMessage message, MetricFamily family, StateSetSeries states, string name, EscapingScheme scheme)
    {
        IReadOnlyList<string> names = ((StateSet)family).States;
        for (int state = 0; state < names.Count; state++)
        {
            int metric = message.Begin(4);
            WriteLabels(message, family, states, scheme);
            WriteLabel(message, name, names[state]);
            int gauge = message.Begin(2);
            message.Double(1, states.IsOn(state) ? 1 : 0);
            message.End(gauge);
            message.End(metric);
        }
    }

    private static void WriteSummary(ProtobufMessage message, SummarySeries series)
    {
        IReadOnlyList<double> quantiles = ((Summary)series.Family).Settings.Quantiles;
        (long count, double sum, double[] values) = series.Read(quantiles);
        int summary = message.Begin(4);
        message.Integer(1, count);
        message.Double(2, sum);
        for (int index = 0; index < values.Length; index++)
        {
            int quantile = message.Begin(3);
            message.Double(1, quantiles[index]);
            message.Double(2, values[index]);
            message.End(quantile);
        }

        WriteTime(message, 4, series.CreatedMilliseconds);
        message.End(summary);
    }

    private static void WriteHistogram(ProtobufMessage message, HistogramSeries series)
    {
        var family = (Histogram)series.Family;
        long[] counts = new long[family.BoundCount + 1];
        (long count, double sum, NativeBuckets? native) = series.ReadAll(counts);
        int histogram = message.Begin(7);
        message.Integer(1, count);
        message.Double(2, sum);
        if (family.BoundCount > 0 || native is null)
        {
            WriteBuckets(message, series, family, counts);
        }

        if (native is not null)
        {
            WriteNative(message, native);
            if (family.BoundCount == 0)
            {
                // Without classic buckets the exemplar has no bucket to stand in.
                WriteExemplar(message, 16, series.ExemplarOf(0));
            }
        }

        WriteTime(message, 15, series.CreatedMilliseconds);
        message.End(histogram);
    }

    private static void WriteBuckets(ProtobufMessage message, HistogramSeries series, Histogram family, long[] counts)
    {
        long cumulative = 0;
        for (int index = 0; index < counts.Length; index++)
        {
            cumulative += counts[index];
            int bucket = message.Begin(3);
            message.Integer(1, cumulative);
            message.Double(2, index < family.BoundCount ? family.Bounds[index] : double.PositiveInfinity);
            WriteExemplar(message, 3, series.ExemplarOf(index));
            message.End(bucket);
        }
    }

    private static void WriteNative(ProtobufMessage message, NativeBuckets native)
    {
        message.Signed(5, native.Schema);
        message.Double(6, native.ZeroThreshold);
        message.Integer(7, native.ZeroCount);
        WriteSpans(message, 9, native.Negative);
        WriteSpans(message, 12, native.Positive);
        if (native.Negative.Used + native.Positive.Used == 0 && native.ZeroThreshold == 0)
        {
            // Without any span and with a zero threshold of 0 a reader would take the histogram for a classic one.
            int nothing = message.Begin(12);
            message.Signed(1, 0);
            message.Integer(2, 0);
            message.End(nothing);
        }
    }

    /// <summary>Runs of consecutive buckets as (gap, length), then the difference of each count to the one before.</summary>
    private static void WriteSpans(ProtobufMessage message, int field, NativeBuckets.Window window)
    {
        (int Index, long Count)[] filled = [.. window.Filled()];
        int next = 0;
        for (int start = 0; start < filled.Length;)
        {
            int end = start + 1;
            while (end < filled.Length && filled[end].Index == filled[end - 1].Index + 1)
            {
                end++;
            }

            int span = message.Begin(field);
            message.Signed(1, filled[start].Index - next);
            message.Integer(2, end - start);
            message.End(span);
            next = filled[end - 1].Index + 1;
            start = end;
        }

        long before = 0;
        foreach ((_, long count) in filled)
        {
            message.Signed(field + 1, count - before);
            before = count;
        }
    }

    private static void WriteExemplar(ProtobufMessage message, int field, Exemplar? exemplar)
    {
        if (exemplar is null)
        {
            return;
        }

        int place = message.Begin(field);
        foreach ((string name, string value) in exemplar.Labels)
        {
            WriteLabel(message, name, value);
        }

        message.Double(2, exemplar.Value);
        WriteTime(message, 3, exemplar.Time.ToUnixTimeMilliseconds());
        message.End(place);
    }

    private static void WriteTime(ProtobufMessage message, int field, long milliseconds)
    {
        int time = message.Begin(field);
        message.Integer(1, milliseconds / 1000);
        message.Integer(2, milliseconds % 1000 * 1_000_000);
        message.End(time);
    }

    /// <summary>A message under construction. A nested message gets five bytes for its length, filled in when it ends.</summary>
    private sealed class ProtobufMessage
    {
        private const int LengthBytes = 5;

        private byte[] _bytes = new byte[4096];
        private int _length;

        public void Clear() => _length = 0;

        public void Integer(int field, long value)
        {
            Varint((ulong)(uint)field << 3);
            Varint((ulong)value);
        }

        /// <summary>A zig-zag number, in which small negative values are short.</summary>
        public void Signed(int field, long value) => Integer(field, (value << 1) ^ (value >> 63));

        public void Double(int field, double value)
        {
            Varint(((ulong)(uint)field << 3) | 1);
            BinaryPrimitives.WriteDoubleLittleEndian(Space(sizeof(double)), value);
            _length += sizeof(double);
        }

        public void String(int field, string value)
        {
            int size = Encoding.UTF8.GetByteCount(value);
            Varint(((ulong)(uint)field << 3) | 2);
            Varint((ulong)size);
            _length += Encoding.UTF8.GetBytes(value, Space(size));
        }

        public int Begin(int field)
        {
            Varint(((ulong)(uint)field << 3) | 2);
            Space(LengthBytes);
            _length += LengthBytes;
            return _length;
        }

        /// <summary>Writes the length as a varint padded to five bytes, which every reader accepts.</summary>
        public void End(int start)
        {
            uint size = (uint)(_length - start);
            for (int index = 0; index < LengthBytes; index++)
            {
                _bytes[start - LengthBytes + index] = (byte)((size & 0x7F) | (index < LengthBytes - 1 ? 0x80u : 0));
                size >>= 7;
            }
        }

        public void CopyDelimited(IBufferWriter<byte> output)
        {
            Span<byte> prefix = output.GetSpan(10);
            int used = 0;
            for (ulong rest = (ulong)_length; ; rest >>= 7)
            {
                prefix[used++] = (byte)((rest & 0x7F) | (rest > 0x7F ? 0x80u : 0));
                if (rest <= 0x7F)
                {
                    break;
                }
            }

            output.Advance(used);
            output.Write(_bytes.AsSpan(0, _length));
        }

        private void Varint(ulong value)
        {
            Span<byte> space = Space(10);
            int used = 0;
            for (; value > 0x7F; value >>= 7)
            {
                space[used++] = (byte)(value | 0x80);
            }

            space[used++] = (byte)value;
            _length += used;
        }

        private Span<byte> Space(int size)
        {
            if (_bytes.Length - _length < size)
            {
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + size));
            }

            return _bytes.AsSpan(_length);
        }
    }
}
