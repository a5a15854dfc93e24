using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace OptiInfra.Metrics.Exposition;

/// <summary>
/// Writes families as Prometheus text 0.0.4 or 1.0.0 or as OpenMetrics 1.0.0: header, then one line per sample, from bytes
/// prepared when the family and the series were created. https://prometheus.io/docs/specs/om/open_metrics_spec/
/// </summary>
internal static class TextExposition
{
    /// <summary>Room for the value, the braces and the line end beside names and labels.</summary>
    private const int LineSlack = NumberText.MaxLength + 16;

    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<MetricFamily> families, ExpositionFormat format)
    {
        var sink = new TextSink(output);
        foreach (MetricFamily family in families)
        {
            WriteFamily(ref sink, family, format);
        }

        if (format.Kind == ExpositionKind.OpenMetrics)
        {
            sink.Block("# EOF\n"u8);
        }

        sink.Complete();
    }

    private static void WriteFamily(ref TextSink sink, MetricFamily family, ExpositionFormat format)
    {
        FamilyText text = family.Texts.For(format);
        var writer = new Lines(family, text, format);
        sink.Block(text.Preamble);
        foreach (Series? series in family.Snapshot())
        {
            switch (series)
            {
                case null:
                    break;
                case CounterSeries counter:
                    WriteCounter(ref sink, writer, counter);
                    break;
                case GaugeSeries gauge:
                    writer.Start(ref sink, text.Sample, gauge);
                    sink.Number(gauge.Value, writer.Open);
                    sink.Byte((byte)'\n');
                    break;
                case HistogramSeries histogram:
                    WriteHistogram(ref sink, writer, histogram);
                    break;
                case SummarySeries summary:
                    WriteSummary(ref sink, writer, summary);
                    break;
                case StateSetSeries states:
                    WriteStates(ref sink, writer, states);
                    break;
                default:
                    writer.Start(ref sink, text.Sample, series);
                    sink.Raw("1\n"u8);
                    break;
            }
        }
    }

    private static void WriteCounter(ref TextSink sink, in Lines lines, CounterSeries counter)
    {
        lines.Start(ref sink, lines.Text.Sample, counter);
        (long whole, double fraction) = counter.Read();
        if (fraction == 0)
        {
            sink.Number(whole);
            if (lines.Open)
            {
                sink.Raw(".0"u8);
            }
        }
        else
        {
            sink.Number(whole + fraction, lines.Open);
        }

        lines.End(ref sink, counter.Exemplar);
        if (lines.ShowsCreated)
        {
            lines.Created(ref sink, counter);
        }
    }

    private static void WriteHistogram(ref TextSink sink, in Lines lines, HistogramSeries histogram)
    {
        var family = (Histogram)histogram.Family;
        Span<long> counts = stackalloc long[family.BoundCount + 1];
        (long count, double sum) = histogram.Read(counts);
        long cumulative = 0;
        for (int bucket = 0; bucket < counts.Length; bucket++)
        {
            cumulative += counts[bucket];
            lines.Start(ref sink, lines.Text.Bucket, histogram, lines.Text.Extra[bucket]);
            sink.Number(cumulative);
            lines.End(ref sink, histogram.ExemplarOf(bucket));
        }

        // OpenMetrics forbids sum and count where values may be negative, since then the sum may fall.
        if (!lines.Open || ((family.BoundCount == 0 || family.Bounds[0] >= 0) && sum >= 0))
        {
            lines.Start(ref sink, lines.Text.Sum, histogram);
            sink.Number(sum, lines.Open);
            sink.Byte((byte)'\n');
            lines.Start(ref sink, lines.Text.Count, histogram);
            sink.Number(count);
            sink.Byte((byte)'\n');
        }

        if (lines.ShowsCreated)
        {
            lines.Created(ref sink, histogram);
        }
    }

    private static void WriteSummary(ref TextSink sink, in Lines lines, SummarySeries summary)
    {
        (long count, double sum, double[] quantiles) = summary.Read(((Summary)summary.Family).Settings.Quantiles);
        for (int index = 0; index < quantiles.Length; index++)
        {
            lines.Start(ref sink, lines.Text.Sample, summary, lines.Text.Extra[index]);
            sink.Number(quantiles[index], lines.Open);
            sink.Byte((byte)'\n');
        }

        if (!lines.Open || sum >= 0)
        {
            lines.Start(ref sink, lines.Text.Sum, summary);
            sink.Number(sum, lines.Open);
            sink.Byte((byte)'\n');
        }

        lines.Start(ref sink, lines.Text.Count, summary);
        sink.Number(count);
        sink.Byte((byte)'\n');
        if (lines.ShowsCreated)
        {
            lines.Created(ref sink, summary);
        }
    }

    private static void WriteStates(ref TextSink sink, in Lines lines, StateSetSeries states)
    {
        for (int state = 0; state < lines.Text.Extra.Length; state++)
        {
            lines.Start(ref sink, lines.Text.Sample, states, lines.Text.Extra[state]);
            sink.Byte(states.IsOn(state) ? (byte)'1' : (byte)'0');
            sink.Byte((byte)'\n');
        }
    }

    /// <summary>The parts of a line, for one family in one format.</summary>
    private readonly ref struct Lines(MetricFamily family, FamilyText text, ExpositionFormat format)
    {
        private readonly MetricFamily _family = family;
        private readonly EscapingScheme _scheme = format.Escaping;

        public FamilyText Text { get; } = text;

        public bool Open { get; } = format.Kind == ExpositionKind.OpenMetrics;

        public bool ShowsCreated => Open && _family.Registry.Options.CreatedSamples;

        /// <summary>Writes name and labels, and reserves room for the value.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Start(ref TextSink sink, SampleName name, Series series)
        {
            byte[] labels = Text.PlainLabels ? series.Fragment : EscapedLabels(series);
            sink.Reserve(name.Open.Length + labels.Length + LineSlack);
            if (labels.Length == 0)
            {
                sink.Raw(name.Bare);
                return;
            }

            sink.Raw(name.Open);
            sink.Raw(labels);
            sink.Raw("} "u8);
        }

        /// <summary>The same with one more label at the end.</summary>
        public void Start(ref TextSink sink, SampleName name, Series series, byte[] extra)
        {
            byte[] labels = Text.PlainLabels ? series.Fragment : EscapedLabels(series);
            sink.Reserve(name.Open.Length + labels.Length + extra.Length + LineSlack);
            sink.Raw(name.Open);
            if (labels.Length > 0)
            {
                sink.Raw(labels);
                sink.Byte((byte)',');
            }

            sink.Raw(extra);
        }

        /// <summary>Ends the line, with an exemplar where the format has one.</summary>
        public void End(ref TextSink sink, Exemplar? exemplar)
        {
            if (Open && exemplar is not null)
            {
                sink.Reserve(exemplar.Text.Length + (2 * NumberText.MaxLength) + 16);
                sink.Raw(" # {"u8);
                sink.Raw(exemplar.Text);
                sink.Raw("} "u8);
                sink.Number(exemplar.Value, asFloat: true);
                sink.Byte((byte)' ');
                sink.Number(exemplar.Time.ToUnixTimeMilliseconds() / 1000.0, asFloat: true);
            }

            sink.Byte((byte)'\n');
        }

        public void Created(ref TextSink sink, Series series)
        {
            Start(ref sink, Text.Created, series);
            sink.Number(series.CreatedMilliseconds / 1000.0, asFloat: true);
            sink.Byte((byte)'\n');
        }

        /// <summary>The labels with names escaped for the reader; only for names that are not plain.</summary>
        private byte[] EscapedLabels(Series series)
        {
            var text = new StringBuilder();
            foreach ((string name, string value) in _family.LabelPairs(series))
            {
                LabelText.Append(text, NameEscaping.Escape(name, _scheme, isLabel: true), value);
            }

            return Encoding.UTF8.GetBytes(text.ToString());
        }
    }
}
