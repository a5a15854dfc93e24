using OptiInfra.Metrics;
using OptiInfra.Metrics.Agents;

namespace OptiInfra.Samples.Agents;

/// <summary>
/// What an agent does when it is asked to optimise: it asks the model, and moves the metrics of its role a step, the way a
/// real agent's metrics move. Every metric of the role's set gets a value.
/// </summary>
internal sealed class RoleWork
{
    private readonly SimulatedModel model;
    private readonly DialectMetrics dialect;
    private readonly Random random;
    private readonly string role;
    private readonly Action<Misbehaviour> step;

    public RoleWork(string role, MetricRegistry registry, DialectMetrics dialect, SimulatedModel model, Random random)
    {
        this.role = role;
        this.dialect = dialect;
        this.model = model;
        this.random = random;
        step = role switch
        {
            "cost" => Cost(new CostMetrics(registry)),
            "performance" => Performance(new PerformanceMetrics(registry)),
            "resource" => Resource(new ResourceMetrics(registry), registry),
            _ => Application(new ApplicationMetrics(registry)),
        };
        step(Misbehaviour.None);
    }

    public Task<string> DoAsync(Misbehaviour wrong, CancellationToken stop) => dialect.WorkAsync(role, wrong, async () =>
    {
        string advice = await model.AskAsync(dialect.Models, $"optimise as the {role} agent", wrong, stop);
        if (Chance(wrong.Errors))
        {
            throw new InvalidOperationException($"{role}: the model's advice could not be carried out");
        }

        step(wrong);
        return $"{role}: {advice}";
    });

    private Action<Misbehaviour> Cost(CostMetrics metrics) => wrong =>
    {
        string provider = Chance(0.7) ? "aws" : "gcp";
        metrics.TrackSavings(Near(0.5, 0.4), provider);
        metrics.TrackRecommendation(Chance(0.5) ? "spot_migration" : Chance(0.5) ? "right_sizing" : "reserved_instance");
        metrics.TrackSpotMigration(succeeded: !Chance(0.03 + wrong.Quality));
        metrics.ReservedCoverage.Set(Near(0.8, 0.02));
        metrics.UpdateBudget("monthly", 620 * wrong.Cost, 1000);
    };

    private Action<Misbehaviour> Performance(PerformanceMetrics metrics) => wrong =>
    {
        metrics.Update(Math.Max(0.1, Near(1.4, 0.05) - wrong.Quality), Near(40, 5), Near(1.6, 0.1));
        metrics.TrackCache(100, (long)Math.Max(0, Near(80, 5) - (100 * wrong.Quality)));
    };

    private Action<Misbehaviour> Resource(ResourceMetrics metrics, MetricRegistry registry)
    {
        // The collector registers the same families where there is a driver; here the accelerators are pretended.
        Gauge used = registry.CreateGauge("gpu_memory_used_bytes", "Memory of the accelerator in use.", "gpu_id");
        Gauge total = registry.CreateGauge("gpu_memory_total_bytes", "Memory of the accelerator.", "gpu_id");
        Gauge power = registry.CreateGauge("gpu_power_watts", "Power the accelerator draws.", "gpu_id");
        Gauge temperature = registry.CreateGauge("gpu_temperature_celsius", "Temperature of the accelerator.", "gpu_id");
        return wrong =>
        {
            foreach (string gpu in (string[])["0", "1"])
            {
                double busy = Math.Clamp(Near(0.6, 0.1) + wrong.Quality, 0, 1);
                metrics.GpuUtilization.WithLabels(gpu).Set(busy);
                used.WithLabels(gpu).Set(busy * 80e9);
                total.WithLabels(gpu).Set(80e9);
                power.WithLabels(gpu).Set(100 + (busy * 300));
                temperature.WithLabels(gpu).Set(40 + (busy * 35));
            }

            metrics.MemoryUtilization.Set(Math.Clamp(Near(0.6, 0.05) + wrong.Quality, 0, 1));
            metrics.CostPerHour.WithLabels("gpu").Set(Near(4, 0.1) * wrong.Cost);
            metrics.CostPerHour.WithLabels("cpu").Set(Near(0.6, 0.05) * wrong.Cost);
            metrics.TrackScaling(4, Chance(0.5) ? 5 : 3);
            metrics.Consolidation.Set(Near(1.3, 0.05));
        };
    }

    private Action<Misbehaviour> Application(ApplicationMetrics metrics) => wrong =>
    {
        double score = Math.Clamp(Near(0.98, 0.005) - wrong.Quality, 0, 1);
        metrics.UpdateQuality("relevance", score);
        metrics.UpdateQuality("faithfulness", Math.Clamp(score - 0.005, 0, 1));
        metrics.UpdateExperiment("a", "quality", score);
        metrics.UpdateExperiment("b", "quality", Math.Clamp(score - 0.01, 0, 1));
        if (score < 0.95)
        {
            metrics.Regressions.Inc();
            metrics.Rollbacks.Inc(score < 0.7 ? 1 : 0);
        }
    };

    private bool Chance(double share) => random.NextDouble() < share;

    private double Near(double middle, double spread) => middle + (((random.NextDouble() * 2) - 1) * spread);
}
