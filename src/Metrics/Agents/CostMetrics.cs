namespace OptiInfra.Metrics.Agents;

/// <summary>The cost agent: what it saved, and what it proposed.</summary>
public sealed class CostMetrics
{
    public CostMetrics(MetricRegistry registry)
    {
        Savings = registry.CreateCounter("cost_savings_total", "Savings achieved, in US dollars.", new MetricOptions { Unit = "usd" });
        Recommendations = registry.CreateCounter("cost_recommendations_total", "Recommendations made, by type.", new MetricOptions { InitialSeries = [["spot_migration"], ["reserved_instance"], ["right_sizing"]] }, "type");
        SavingsByProvider = registry.CreateCounter("cost_savings_by_provider_total", "Savings achieved by cloud provider, in US dollars.", new MetricOptions { Unit = "usd" }, "provider");
        SpotMigrations = registry.CreateCounter("spot_migrations_total", "Migrations of workloads to spot instances, by outcome.", new MetricOptions { InitialSeries = [["success"], ["failure"]] }, "outcome");
        SpotSuccessRate = registry.CreateGauge("spot_migration_success_rate", "Share of spot migrations that succeeded since the start. For a rate over time use spot_migrations_total.", new MetricOptions { Unit = "ratio" });
        ReservedCoverage = registry.CreateGauge("reserved_instance_coverage", "Share of the use that reserved instances cover, 0 to 1.", new MetricOptions { Unit = "ratio" });
        BudgetUsed = registry.CreateGauge("budget_used_usd", "Money spent of a budget, in US dollars.", "budget");
        BudgetLimit = registry.CreateGauge("budget_limit_usd", "The budget, in US dollars.", "budget");
    }

    public Counter Savings { get; }

    public Counter Recommendations { get; }

    public Counter SavingsByProvider { get; }

    public Counter SpotMigrations { get; }

    public Gauge SpotSuccessRate { get; }

    public Gauge ReservedCoverage { get; }

    public Gauge BudgetUsed { get; }

    public Gauge BudgetLimit { get; }

    /// <summary>Records money saved and, where known, with which cloud provider.</summary>
    public void TrackSavings(double usd, string? provider = null)
    {
        Savings.Inc(usd);
        if (provider is not null)
        {
            SavingsByProvider.WithLabels(provider).Inc(usd);
        }
    }

    /// <summary>Records a recommendation.</summary>
    public void TrackRecommendation(string type) => Recommendations.WithLabels(type).Inc();

    /// <summary>Records a migration to spot instances, tried and perhaps achieved.</summary>
    public void TrackSpotMigration(bool succeeded)
    {
        SpotMigrations.WithLabels(succeeded ? "success" : "failure").Inc();
        double successes = SpotMigrations.WithLabels("success").Value;
        SpotSuccessRate.Set(successes / (successes + SpotMigrations.WithLabels("failure").Value));
    }

    /// <summary>Says how much of a budget is used.</summary>
    public void UpdateBudget(string budget, double usedUsd, double limitUsd)
    {
        BudgetUsed.WithLabels(budget).Set(usedUsd);
        BudgetLimit.WithLabels(budget).Set(limitUsd);
    }
}
