namespace OptiInfra.Metrics.Exposition;

// The tour. A scrape negotiates a format (ContentNegotiation.cs) and asks the Scraper, which shares one body among readers that ask at
// the same time. The body is written by TextExposition.cs or ProtobufExposition.cs from bytes that were prepared when the family
// (FamilyTexts.cs) and the series (LabelText.cs) were made, so that a line is three copies and a number (NumberText.cs). It grows in
// pooled segments (SegmentedBuffer.cs) and is complete before anything is sent: a reader gets a whole valid scrape or an error status,
// never half of one. Names that are not plain are escaped as the reader asked (NameEscaping.cs). Timestamps are never written:
// Prometheus sets its own. Not here: HTTP, which is AspNetCore/.

/// <summary>The languages a scrape can be answered in.</summary>
public enum ExpositionKind
{
    /// <summary>Prometheus text 0.0.4, which everything reads.</summary>
    Text004,

    /// <summary>Prometheus text 1.0.0: 0.0.4 with quoted UTF-8 names.</summary>
    Text100,

    /// <summary>OpenMetrics text 1.0.0.</summary>
    OpenMetrics,

    /// <summary>Length-delimited <c>io.prometheus.client.MetricFamily</c>; the only one with native histograms.</summary>
    Protobuf,
}

/// <summary>What becomes of names which are not plain. https://prometheus.io/docs/instrumenting/escaping_schemes/</summary>
public enum EscapingScheme
{
    Underscores,
    Dots,
    Values,
    AllowUtf8,
}

/// <summary>A format with its escaping scheme; the content type says both.</summary>
public readonly record struct ExpositionFormat(ExpositionKind Kind, EscapingScheme Escaping = EscapingScheme.Underscores)
{
    public static readonly ExpositionFormat Text = new(ExpositionKind.Text004);

    public static readonly ExpositionFormat OpenMetrics = new(ExpositionKind.OpenMetrics);

    public static readonly ExpositionFormat Protobuf = new(ExpositionKind.Protobuf);

    /// <summary>The value of the response's Content-Type header.</summary>
    public string ContentType => Kind switch
    {
        ExpositionKind.Text004 => "text/plain; version=0.0.4; charset=utf-8",
        ExpositionKind.Text100 => $"text/plain; version=1.0.0; charset=utf-8; escaping={NameEscaping.NameOf(Escaping)}",
        ExpositionKind.OpenMetrics => $"application/openmetrics-text; version=1.0.0; charset=utf-8; escaping={NameEscaping.NameOf(Escaping)}",
        _ => $"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping={NameEscaping.NameOf(Escaping)}",
    };
}
