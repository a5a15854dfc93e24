namespace OptiInfra.Metrics.Agents;

/// <summary>
/// Executions, tools, budget, approvals and domains of an agent system. Success rate and percentiles are not gauges here, because
/// those cannot be combined over replicas: they come from the counters and the histogram, in recording rules and in <see cref="Summarize"/>.
/// </summary>
public sealed class GoldenSignals
{
    public GoldenSignals(MetricRegistry registry, string prefix = "cugar")
    {
        Prefix = prefix;
        Executions = registry.CreateCounter($"{prefix}_executions_total", "Executions finished.");
        Successes = registry.CreateCounter($"{prefix}_executions_successful_total", "Executions that succeeded.");
        Failures = registry.CreateCounter($"{prefix}_executions_failed_total", "Executions that failed.");
        Duration = registry.CreateHistogram($"{prefix}_execution_duration_seconds", "Time an execution took.", new HistogramOptions { Buckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 120, 300] });
        ToolCalls = registry.CreateCounter($"{prefix}_tool_calls_total", "Calls of tools.");
        ToolErrors = registry.CreateCounter($"{prefix}_tool_errors_total", "Calls of tools that failed.");
        BudgetUsed = registry.CreateCounter($"{prefix}_budget_used_total", "Budget units used.");
        BudgetUsedRatio = registry.CreateGauge($"{prefix}_budget_used_ratio", "Share of the current budget that is used, 0 to 1.", new MetricOptions { Unit = "ratio" });
        BudgetExceeded = registry.CreateCounter($"{prefix}_budget_exceeded_total", "Executions that hit their budget.");
        Approvals = registry.CreateCounter($"{prefix}_approvals_total", "Approvals asked for.");
        ApprovalTimeouts = registry.CreateCounter($"{prefix}_approval_timeouts_total", "Approvals nobody decided in time.");
        ApprovalWait = registry.CreateHistogram($"{prefix}_approval_wait_seconds", "Time from asking for an approval to the decision.", new HistogramOptions { Buckets = HistogramOptions.WorkflowSeconds });
        DomainUsage = registry.CreateCounter($"{prefix}_domain_usage_total", "Executions by domain.", "domain");
        DomainErrors = registry.CreateCounter($"{prefix}_domain_errors_total", "Failed executions by domain.", "domain");
    }

    public string Prefix { get; }

    public Counter Executions { get; }

    public Counter Successes { get; }

    public Counter Failures { get; }

    public Histogram Duration { get; }

    public Counter ToolCalls { get; }

    public Counter ToolErrors { get; }

    public Counter BudgetUsed { get; }

    public Gauge BudgetUsedRatio { get; }

    public Counter BudgetExceeded { get; }

    public Counter Approvals { get; }

    public Counter ApprovalTimeouts { get; }

    public Histogram ApprovalWait { get; }

    public Counter DomainUsage { get; }

    public Counter DomainErrors { get; }

    /// <summary>Records a finished execution.</summary>
    public void TrackExecution(bool succeeded, TimeSpan duration, string domain = "")
    {
        Executions.Inc();
        (succeeded ? Successes : Failures).Inc();
        Duration.Observe(duration.TotalSeconds);
        if (domain.Length > 0)
        {
            DomainUsage.WithLabels(domain).Inc();
            if (!succeeded)
            {
                DomainErrors.WithLabels(domain).Inc();
            }
        }
    }

    /// <summary>Runs an execution and records how it went.</summary>
    public Task<T> TrackExecutionAsync<T>(Func<Task<T>> execution, string domain = "") =>
        Tracked.OutcomeAsync(execution, (outcome, seconds) => TrackExecution(outcome == "success", TimeSpan.FromSeconds(seconds), domain));

    /// <summary>Records a call of a tool.</summary>
    public void TrackTool(bool succeeded)
    {
        ToolCalls.Inc();
        if (!succeeded)
        {
            ToolErrors.Inc();
        }
    }

    /// <summary>Records the use of budget, and whether it ran out.</summary>
    public void TrackBudget(double used, bool exceeded = false, double? usedRatio = null)
    {
        BudgetUsed.Inc(used);
        if (usedRatio is { } ratio)
        {
            BudgetUsedRatio.Set(ratio);
        }

        if (exceeded)
        {
            BudgetExceeded.Inc();
        }
    }

    /// <summary>Records an approval. One without decision timed out.</summary>
    public void TrackApproval(TimeSpan wait, bool decided = true)
    {
        Approvals.Inc();
        ApprovalWait.Observe(wait.TotalSeconds);
        if (!decided)
        {
            ApprovalTimeouts.Inc();
        }
    }

    /// <summary>The signals of this process since its start, for health pages; alerts use recording rules.</summary>
    public GoldenSummary Summarize()
    {
        double total = Executions.Value;
        return new GoldenSummary(
            (long)total,
            total > 0 ? Successes.Value / total : 0,
            total > 0 ? Failures.Value / total : 0,
            Duration.Quantile(0.5),
            Duration.Quantile(0.95),
            Duration.Quantile(0.99));
    }
}

/// <summary>Golden signals in one look. Rates are shares between 0 and 1; latencies are 0 before the first execution.</summary>
public sealed record GoldenSummary(long TotalExecutions, double SuccessRate, double ErrorRate, double LatencyP50Seconds, double LatencyP95Seconds, double LatencyP99Seconds);
