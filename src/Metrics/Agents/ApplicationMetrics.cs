namespace OptiInfra.Metrics.Agents;

/// <summary>The application agent: quality of answers, regressions, experiments.</summary>
public sealed class ApplicationMetrics
{
    public ApplicationMetrics(MetricRegistry registry)
    {
        QualityScore = registry.CreateGauge("quality_score", "Last quality score, 0 to 1, by kind of quality.", new MetricOptions { Unit = "ratio" }, "metric_type");
        Regressions = registry.CreateCounter("regression_detections_total", "Drops of quality that were detected.");
        Rollbacks = registry.CreateCounter("auto_rollbacks_total", "Releases taken back because of a regression.");
        Experiments = registry.CreateGauge("ab_test_results", "Last result of an experiment, by variant and measured quantity.", "variant", "metric");
    }

    public Gauge QualityScore { get; }

    public Counter Regressions { get; }

    public Counter Rollbacks { get; }

    public Gauge Experiments { get; }

    /// <summary>Says how good the answers are; a score outside 0 to 1 is refused and counted.</summary>
    public void UpdateQuality(string kind, double score)
    {
        if (score is >= 0 and <= 1)
        {
            QualityScore.WithLabels(kind).Set(score);
        }
        else
        {
            QualityScore.Registry.Self.Rejected(QualityScore);
        }
    }

    /// <summary>Says how a variant did in an experiment.</summary>
    public void UpdateExperiment(string variant, string metric, double result) => Experiments.WithLabels(variant, metric).Set(result);
}
