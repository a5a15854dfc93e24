using OptiInfra.Metrics.Agents;

namespace OptiInfra.Metrics.Tests.Agents;

public sealed class AgentSetsTests
{
    [Fact]
    public void All_sets_of_one_dialect_live_in_one_registry()
    {
        foreach (IGrouping<string, AgentSet> dialect in AgentSets.All.GroupBy(set => set.Dialect))
        {
            var registry = new MetricRegistry();
            foreach (AgentSet set in dialect)
            {
                set.Create(registry);
            }
        }
    }

    [Fact]
    public void Every_family_keeps_the_conventions()
    {
        foreach (AgentSet set in AgentSets.All)
        {
            var registry = new MetricRegistry(new MetricRegistryOptions { SelfMetrics = false });
            set.Create(registry);
            Assert.NotEmpty(registry.Families);
            foreach (MetricFamily family in registry.Families)
            {
                Assert.True(family.Help.EndsWith('.'), $"{family.Name} needs a sentence as help");
                Assert.Equal(family.Type == MetricType.Counter, family.Name.EndsWith("_total", StringComparison.Ordinal));
                Assert.DoesNotContain("_ms", family.Name, StringComparison.Ordinal);
                Assert.True(family.LabelNames.Count <= 10);
            }
        }
    }

    /// <summary>What the fleet's first documents name, with their mistakes corrected.</summary>
    [Theory]
    [InlineData("optiinfra/base", "request_duration_seconds requests_total errors_total llm_api_calls_total llm_token_usage_total optimization_executions_total recommendation_confidence")]
    [InlineData("optiinfra/orchestrator", "agent_requests_total agent_request_duration_seconds agent_health_status coordination_conflicts_total approval_workflow_duration_seconds active_optimizations")]
    [InlineData("optiinfra/cost", "cost_savings_total cost_recommendations_total spot_migration_success_rate spot_migrations_total reserved_instance_coverage")]
    [InlineData("optiinfra/performance", "latency_improvement_ratio throughput_qps kv_cache_hit_rate quantization_speedup")]
    [InlineData("optiinfra/resource", "gpu_utilization scaling_events_total resource_consolidation_ratio")]
    [InlineData("optiinfra/application", "quality_score regression_detections_total ab_test_results")]
    [InlineData("kosmos", "http_requests_total http_request_duration_seconds llm_request_duration_seconds llm_requests_total llm_tokens_total llm_cost_dollars_total agent_tasks_total active_connections")]
    [InlineData("golden-signals", "cugar_executions_total cugar_executions_successful_total cugar_executions_failed_total cugar_tool_calls_total cugar_tool_errors_total cugar_budget_used_total cugar_budget_exceeded_total cugar_approvals_total cugar_approval_wait_seconds cugar_domain_usage_total")]
    [InlineData("module", "module_operations_total module_operation_duration_seconds module_tokens_total module_cost_total module_errors_total module_cache_hits_total module_cache_misses_total module_requests_total module_security_validation_total module_active_connections")]
    [InlineData("gen-ai", "gen_ai_client_operation_duration_seconds gen_ai_client_tokens_total gen_ai_client_cost_usd_total gen_ai_execute_tool_duration_seconds gen_ai_invoke_agent_duration_seconds gen_ai_evaluation_score")]
    public void A_set_has_the_names_that_rules_and_dashboards_use(string name, string families)
    {
        var registry = new MetricRegistry();
        AgentSets.All.Single(set => set.Name == name).Create(registry);
        Assert.All(families.Split(' '), family => Assert.NotNull(registry.Find(family)));
    }

    [Fact]
    public void What_is_expected_before_traffic_exists_at_zero()
    {
        var registry = new MetricRegistry();
        _ = new OrchestratorMetrics(registry, new AgentMetricsOptions { Peers = ["cost", "performance"] });
        _ = new CostMetrics(registry);
        string text = registry.WriteText();
        Assert.Contains("\nagent_requests_total{agent=\"cost\",status=\"success\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("\ncost_savings_total 0\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_calls_of_the_first_documents_do_what_they_say()
    {
        var registry = new MetricRegistry();
        var known = new BaseMetrics(registry);
        known.TrackRequest("/analyze", "POST", 200, 0.5);
        known.TrackOptimization("spot-migration", "success", 0.95);
        known.TrackOptimization("spot-migration", "success", 1.5);
        await Assert.ThrowsAsync<InvalidOperationException>(() => known.TrackErrorsAsync<int>(() => throw new InvalidOperationException()));
        Assert.Equal(7, known.TrackDuration("/analyze", () => 7));
        Assert.Equal(1, known.Requests.WithLabels("/analyze", "200").Value);
        Assert.Equal(2, known.RequestDuration.WithLabels("/analyze").Count);
        Assert.Equal(1, known.Confidence.WithLabels().Count);
        Assert.Equal(1, known.Errors.WithLabels("InvalidOperationException").Value);

        var orchestrator = new OrchestratorMetrics(registry);
        await Assert.ThrowsAsync<TimeoutException>(() => orchestrator.TrackAgentRequestAsync<int>("cost", () => throw new TimeoutException()));
        orchestrator.UpdateActiveOptimizations(5);
        Assert.Equal(1, orchestrator.Requests.WithLabels("cost", "error").Value);
        Assert.Equal(5, orchestrator.ActiveOptimizations.Value);

        var cost = new CostMetrics(registry);
        cost.TrackSpotMigration(true);
        cost.TrackSpotMigration(false);
        Assert.Equal(0.5, cost.SpotSuccessRate.Value);
    }

    [Fact]
    public async Task Two_modules_keep_apart_in_one_process()
    {
        var registry = new MetricRegistry();
        var manager = new ModuleMetrics(registry, "prompt-manager");
        var security = new ModuleMetrics(registry, "prompt_security");
        Assert.Equal(1, await manager.TrackOperationAsync("render", () => Task.FromResult(1)));
        security.TrackCache(hit: true);
        string text = registry.WriteText();
        Assert.Contains("\nprompt_manager_operations_total{operation=\"render\",status=\"success\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nprompt_security_cache_hits_total 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nprompt_manager_cache_hits_total 0\n", text, StringComparison.Ordinal);
    }
}
