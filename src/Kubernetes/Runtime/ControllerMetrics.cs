using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>The <c>controller_runtime_*</c> series of one controller; all exist, at zero, from the start.</summary>
internal sealed class ControllerMetrics
{
    private readonly CounterSeries success;
    private readonly CounterSeries error;
    private readonly CounterSeries requeueAfter;
    private readonly CounterSeries errors;
    private readonly CounterSeries terminal;
    private readonly CounterSeries panics;
    private readonly CounterSeries timeouts;
    private readonly HistogramSeries seconds;

    public ControllerMetrics(string name, ControllerOptions options)
    {
        Client.KubeMetrics families = options.Metrics;
        success = families.Reconciles.WithLabels(name, "success");
        error = families.Reconciles.WithLabels(name, "error");
        requeueAfter = families.Reconciles.WithLabels(name, "requeue_after");
        families.Reconciles.WithLabels(name, "requeue");
        errors = families.ReconcileErrors.WithLabels(name);
        terminal = families.TerminalErrors.WithLabels(name);
        panics = families.ReconcilePanics.WithLabels(name);
        timeouts = families.ReconcileTimeouts.WithLabels(name);
        seconds = families.ReconcileSeconds.WithLabels(name);
        Active = families.ActiveWorkers.WithLabels(name);
        families.MaxConcurrentReconciles.WithLabels(name).Set(options.MaxConcurrentReconciles);
    }

    public GaugeSeries Active { get; }

    public void Succeeded(ReconcileResult result) => (result.After is null ? success : requeueAfter).Inc();

    public void FailedForGood()
    {
        error.Inc();
        errors.Inc();
        terminal.Inc();
    }

    public void Failed(bool timedOut, bool panic)
    {
        error.Inc();
        errors.Inc();
        timeouts.Inc(timedOut ? 1 : 0);
        panics.Inc(panic ? 1 : 0);
    }

    public void Took(TimeSpan time) => seconds.Observe(time.TotalSeconds);
}
