using System.Globalization;
using System.Net;
using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Client;

/// <summary>
/// The metrics of client and runtime, under the names that dashboards for controllers already know (client-go's
/// <c>rest_client_*</c>, <c>workqueue_*</c> and <c>leader_election_*</c>, controller-runtime's <c>controller_runtime_*</c>).
/// </summary>
public sealed class KubeMetrics
{
    private static readonly double[] ReconcileBuckets =
    [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
        1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
    ];

    private static readonly double[] QueueBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

    private static readonly double[] RequestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

    /// <summary>For those who do not care: recorded, and shown to nobody. (Stands below the buckets that it needs.)</summary>
    public static readonly KubeMetrics None = new(new MetricRegistry());

    public KubeMetrics(MetricRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        Registry = registry;
        Requests = registry.CreateCounter("rest_client_requests_total", "Number of HTTP requests, partitioned by status code, method, and host.", "code", "method", "host");
        RequestSeconds = registry.CreateHistogram("rest_client_request_duration_seconds", "Request latency in seconds, partitioned by verb and host.", new HistogramOptions { Buckets = RequestBuckets }, "verb", "host");
        RequestRetries = registry.CreateCounter("rest_client_request_retries_total", "Number of request retries, partitioned by status code, verb, and host.", "code", "verb", "host");
        WatchRejects = registry.CreateCounter("optiinfra_watch_rejected_frames_total", "Watch frames that could not be read or were of another kind.", "resource");
        Relists = registry.CreateCounter("optiinfra_reflector_lists_total", "Full lists that caches made, by resource and by why.", "resource", "cause");
        Watches = registry.CreateCounter("optiinfra_reflector_watches_total", "Watches that caches opened.", "resource");

        Reconciles = registry.CreateCounter("controller_runtime_reconcile_total", "Total number of reconciliations per controller.", "controller", "result");
        ReconcileErrors = registry.CreateCounter("controller_runtime_reconcile_errors_total", "Total number of reconciliation errors per controller.", "controller");
        TerminalErrors = registry.CreateCounter("controller_runtime_terminal_reconcile_errors_total", "Total number of terminal reconciliation errors per controller.", "controller");
        ReconcilePanics = registry.CreateCounter("controller_runtime_reconcile_panics_total", "Total number of reconciliation panics per controller.", "controller");
        ReconcileTimeouts = registry.CreateCounter("controller_runtime_reconcile_timeouts_total", "Total number of reconciliations that ran out of time per controller.", "controller");
        ReconcileSeconds = registry.CreateHistogram("controller_runtime_reconcile_time_seconds", "Length of time per reconciliation per controller.", new HistogramOptions { Buckets = ReconcileBuckets }, "controller");
        MaxConcurrentReconciles = registry.CreateGauge("controller_runtime_max_concurrent_reconciles", "Maximum number of concurrent reconciles per controller.", "controller");
        ActiveWorkers = registry.CreateGauge("controller_runtime_active_workers", "Number of currently used workers per controller.", "controller");

        WebhookRequests = registry.CreateCounter("controller_runtime_webhook_requests_total", "Total number of admission requests by HTTP status code.", "webhook", "code");
        WebhookSeconds = registry.CreateHistogram("controller_runtime_webhook_latency_seconds", "Latency of processing admission requests.", "webhook");
        WebhooksInFlight = registry.CreateGauge("controller_runtime_webhook_requests_in_flight", "Current number of admission requests being served.", "webhook");
        WebhookPanics = registry.CreateCounter("controller_runtime_webhook_panics_total", "Total number of webhook panics.", "webhook");
        ConversionPanics = registry.CreateCounter("controller_runtime_conversion_webhook_panics_total", "Total number of conversion webhook panics.");
        CertificateReads = registry.CreateCounter("certwatcher_read_certificate_total", "Total number of certificate reads.");
        CertificateReadErrors = registry.CreateCounter("certwatcher_read_certificate_errors_total", "Total number of certificate read errors.");

        QueueDepth = registry.CreateGauge("workqueue_depth", "Current depth of workqueue by workqueue and priority.", "name", "controller", "priority");
        QueueAdds = registry.CreateCounter("workqueue_adds_total", "Total number of adds handled by workqueue.", "name", "controller");
        QueueSeconds = registry.CreateHistogram("workqueue_queue_duration_seconds", "How long in seconds an item stays in workqueue before being requested.", new HistogramOptions { Buckets = QueueBuckets }, "name", "controller");
        WorkSeconds = registry.CreateHistogram("workqueue_work_duration_seconds", "How long in seconds processing an item from workqueue takes.", new HistogramOptions { Buckets = QueueBuckets }, "name", "controller");
        UnfinishedSeconds = registry.CreateGauge("workqueue_unfinished_work_seconds", "How many seconds of work are in progress and not yet observed by work_duration.", "name", "controller");
        LongestRunningSeconds = registry.CreateGauge("workqueue_longest_running_processor_seconds", "How many seconds the longest running processor of the workqueue has been running.", "name", "controller");
        QueueRetries = registry.CreateCounter("workqueue_retries_total", "Total number of retries handled by workqueue.", "name", "controller");

        LeaderStatus = registry.CreateGauge("leader_election_master_status", "Whether this process is the leader of the lease: 0 backup, 1 leader.", "name");
        LeaderSlowPath = registry.CreateCounter("leader_election_slowpath_total", "Total number of slow path exercised in renewing leader leases.", "name");
    }

    /// <summary>Where these metrics are exposed from.</summary>
    public MetricRegistry Registry { get; }

    internal Counter Requests { get; }

    internal Histogram RequestSeconds { get; }

    internal Counter RequestRetries { get; }

    internal Counter WatchRejects { get; }

    internal Counter Relists { get; }

    internal Counter Watches { get; }

    internal Counter Reconciles { get; }

    internal Counter ReconcileErrors { get; }

    internal Counter TerminalErrors { get; }

    internal Counter ReconcilePanics { get; }

    internal Counter ReconcileTimeouts { get; }

    internal Histogram ReconcileSeconds { get; }

    internal Gauge MaxConcurrentReconciles { get; }

    internal Gauge ActiveWorkers { get; }

    internal Counter WebhookRequests { get; }

    internal Histogram WebhookSeconds { get; }

    internal Gauge WebhooksInFlight { get; }

    internal Counter WebhookPanics { get; }

    internal Counter ConversionPanics { get; }

    internal Counter CertificateReads { get; }

    internal Counter CertificateReadErrors { get; }

    internal Gauge QueueDepth { get; }

    internal Counter QueueAdds { get; }

    internal Histogram QueueSeconds { get; }

    internal Histogram WorkSeconds { get; }

    internal Gauge UnfinishedSeconds { get; }

    internal Gauge LongestRunningSeconds { get; }

    internal Counter QueueRetries { get; }

    internal Gauge LeaderStatus { get; }

    internal Counter LeaderSlowPath { get; }

    internal void RequestDone(string method, string host, string code, TimeSpan took)
    {
        Requests.WithLabels(code, method, host).Inc();
        RequestSeconds.WithLabels(method, host).Observe(took.TotalSeconds);
    }

    internal void RequestRetried(string method, string host, HttpStatusCode code) =>
        RequestRetries.WithLabels(((int)code).ToString(CultureInfo.InvariantCulture), method, host).Inc();

    internal void WatchFrameRejected(string resource) => WatchRejects.WithLabels(resource).Inc();
}
