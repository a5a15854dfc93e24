namespace OptiInfra.Metrics.Agents;

/// <summary>The cost agent: what it saved, and what it proposed.</summary>
public sealed class CostMetrics
{
    public CostMetrics(MetricRegistry registry)
    {
        Savings = registry.CreateCounter("cost_savings_total", "Savings achieved, in US dollars.", new MetricOptions { Unit = "usd" });
        Recommendations = registry.CreateCounter("cost_recommendations_total", "Recommendations made, by type.", new MetricOptions { InitialSeries = [["spot_migration"], ["reserved_instance"], ["right_sizing"]] }, "type");
        SpotAttempts = registry.CreateCounter("spot_migration_attempts_total", "Workloads whose migration to spot instances was tried.");
        SpotSuccesses = registry.CreateCounter("spot_migration_success_total", "Workloads that were migrated to spot instances.");
        SpotSuccessRate = registry.CreateGauge("spot_migration_success_rate", "Share of spot migrations that succeeded since the start. For a rate over time divide the two counters.", new MetricOptions { Unit = "ratio" });
        ReservedCoverage = registry.CreateGauge("reserved_instance_coverage", "Share of the use that reserved instances cover, 0 to 1.", new MetricOptions { Unit = "ratio" });
        BudgetUsed = registry.CreateGauge("budget_used_usd", "Money spent of a budget, in US dollars.", "budget");
        BudgetLimit = registry.CreateGauge("budget_limit_usd", "The budget, in US dollars.", "budget");
    }

    public Counter Savings { get; }

    public Counter Recommendations { get; }

    public Counter SpotAttempts { get; }

    public Counter SpotSuccesses { get; }

    public Gauge SpotSuccessRate { get; }

    public Gauge ReservedCoverage { get; }

    public Gauge BudgetUsed { get; }

    public Gauge BudgetLimit { get; }

    /// <summary>Records money saved.</summary>
    public void TrackSavings(double usd) => Savings.Inc(usd);

    /// <summary>Records a recommendation.</summary>
    public void TrackRecommendation(string type) => Recommendations.WithLabels(type).Inc();

    /// <summary>Records a migration to spot instances, tried and perhaps achieved.</summary>
    public void TrackSpotMigration(bool succeeded)
    {
        SpotAttempts.Inc();
        if (succeeded)
        {
            SpotSuccesses.Inc();
        }

        SpotSuccessRate.Set(SpotSuccesses.Value / SpotAttempts.Value);
    }

    /// <summary>Says how much of a budget is used.</summary>
    public void UpdateBudget(string budget, double usedUsd, double limitUsd)
    {
        BudgetUsed.WithLabels(budget).Set(usedUsd);
        BudgetLimit.WithLabels(budget).Set(limitUsd);
    }
}
