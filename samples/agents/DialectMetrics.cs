using OptiInfra.Metrics;
using OptiInfra.Metrics.Agents;
using OptiInfra.Metrics.AspNetCore;

namespace OptiInfra.Samples.Agents;

/// <summary>How one dialect records what an agent does: requests, model calls, and one piece of work. One subclass per dialect.</summary>
internal abstract class DialectMetrics
{
    /// <summary>What the ASP.NET Core side of the library is told.</summary>
    public abstract OptiMetricsOptions Options { get; }

    /// <summary>Where model calls are recorded.</summary>
    public abstract ILlmMetrics Models { get; }

    /// <summary>Does one piece of work and records it.</summary>
    public abstract Task<string> WorkAsync(string kind, Misbehaviour wrong, Func<Task<string>> work);

    public static DialectMetrics Create(AgentOptions options, MetricRegistry registry)
    {
        string name = options.Role == AgentOptions.Orchestrator ? options.Role : $"{options.Role}-agent";
        AgentMetricsOptions agent = new() { Agent = name, Prices = SimulatedModel.Prices, Peers = [.. options.Agents.Keys] };
        OptiMetricsOptions common = new() { Service = name, Version = "1.0.0", Agent = agent, BaseSet = false };
        return options.Dialect switch
        {
            "kosmos" => new Kosmos(common, registry),
            "golden-signals" => new Golden(common, registry),
            "module" => new Module(common, registry, options.Module ?? $"{options.Role}_agent"),
            "gen-ai" => new GenAi(common, registry),
            _ => new OptiInfra(common, registry),
        };
    }

    private sealed class OptiInfra(OptiMetricsOptions common, MetricRegistry registry) : DialectMetrics
    {
        private readonly BaseMetrics metrics = new(registry, common.Agent);

        public override OptiMetricsOptions Options => common with { Http = new HttpMetricsOptions { Track = Track } };

        public override ILlmMetrics Models => metrics;

        public override async Task<string> WorkAsync(string kind, Misbehaviour wrong, Func<Task<string>> work)
        {
            try
            {
                string answer = await metrics.TrackErrorsAsync(work);
                metrics.TrackOptimization(kind, "success", Math.Clamp(0.93 - wrong.Quality, 0, 1));
                return answer;
            }
            catch
            {
                metrics.TrackOptimization(kind, "failure");
                throw;
            }
        }

        private void Track(HttpOutcome outcome) => metrics.TrackRequest(outcome.Endpoint, outcome.Method, outcome.Status, outcome.Duration.TotalSeconds);
    }

    private sealed class Kosmos(OptiMetricsOptions common, MetricRegistry registry) : DialectMetrics
    {
        private readonly KosmosMetrics metrics = new(registry, common.Agent);

        public override OptiMetricsOptions Options => common with
        {
            Http = new HttpMetricsOptions { Track = outcome => metrics.TrackRequest(outcome.Endpoint, outcome.Method, outcome.Status, outcome.Duration.TotalSeconds) },
        };

        public override ILlmMetrics Models => metrics;

        public override async Task<string> WorkAsync(string kind, Misbehaviour wrong, Func<Task<string>> work)
        {
            using var _ = metrics.TrackConnection();
            return await metrics.TrackTaskAsync(kind, work);
        }
    }

    private sealed class Golden(OptiMetricsOptions common, MetricRegistry registry) : DialectMetrics
    {
        private static readonly string[] Domains = ["sales", "support", "intelligence"];
        private readonly GoldenSignals metrics = new(registry);
        private readonly LlmMetrics models = new(registry, common.Agent);
        private int turn;

        public override OptiMetricsOptions Options => common;

        public override ILlmMetrics Models => models;

        public override Task<string> WorkAsync(string kind, Misbehaviour wrong, Func<Task<string>> work)
        {
            int now = Interlocked.Increment(ref turn);
            bool overBudget = wrong.Cost > 5;
            metrics.TrackTool(succeeded: now % 25 != 0 && wrong.Quality < 0.5);
            metrics.TrackBudget(1, overBudget, overBudget ? 1 : now % 100 / 100.0);
            metrics.TrackApproval(TimeSpan.FromSeconds(2 + (now % 7)), decided: wrong.Latency < TimeSpan.FromSeconds(1));
            return metrics.TrackExecutionAsync(work, Domains[now % Domains.Length]);
        }
    }

    private sealed class Module(OptiMetricsOptions common, MetricRegistry registry, string prefix) : DialectMetrics
    {
        private readonly ModuleMetrics metrics = new(registry, prefix, common.Agent);
        private int turn;

        public override OptiMetricsOptions Options => common;

        public override ILlmMetrics Models => metrics;

        public override Task<string> WorkAsync(string kind, Misbehaviour wrong, Func<Task<string>> work)
        {
            int now = Interlocked.Increment(ref turn);
            metrics.TrackCache(hit: now % 3 != 0);
            metrics.Validations.WithLabels(now % 10 == 0 ? "rejected" : "passed").Inc();
            if (now % 20 == 0)
            {
                metrics.Injections.Inc();
                metrics.RateLimitHits.Inc();
            }

            return metrics.TrackOperationAsync(kind, work);
        }
    }

    private sealed class GenAi(OptiMetricsOptions common, MetricRegistry registry) : DialectMetrics
    {
        private readonly GenAiMetrics metrics = new(registry, common.Agent);
        private int turn;

        public override OptiMetricsOptions Options => common;

        public override ILlmMetrics Models => metrics;

        public override async Task<string> WorkAsync(string kind, Misbehaviour wrong, Func<Task<string>> work)
        {
            int now = Interlocked.Increment(ref turn);
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            string outcome = "success";
            try
            {
                await metrics.TrackToolAsync("inventory", () => Task.FromResult(now));
                return await work();
            }
            catch
            {
                outcome = "error";
                throw;
            }
            finally
            {
                double score = Math.Clamp(0.95 - wrong.Quality, 0, 1);
                metrics.TrackAgentRun(common.Agent.Agent, outcome, System.Diagnostics.Stopwatch.GetElapsedTime(start), inferenceCalls: 1 + (int)wrong.Tokens, toolCalls: 1);
                metrics.TrackEvaluation("judge", "relevance", score, passed: score >= 0.8);
                metrics.CacheRequests.WithLabels("exact", now % 3 == 0 ? "miss" : "hit").Inc();
                metrics.GuardrailChecks.WithLabels("prompt", "pass").Inc();
                metrics.RateLimitHeadroom.WithLabels(SimulatedModel.Provider, "tokens").Set(Math.Max(0, 0.9 - (wrong.Tokens / 100)));
                if (wrong.Tokens > 10)
                {
                    metrics.LimitHits.WithLabels(common.Agent.Agent, "tokens").Inc();
                    metrics.RateLimited.WithLabels(SimulatedModel.Provider, "demo-large").Inc();
                    metrics.Retries.WithLabels(SimulatedModel.Provider, "demo-large", "rate_limit").Inc();
                }
            }
        }
    }
}
