namespace OptiInfra.Metrics.Agents;

/// <summary>
/// On a method of a service: its duration is observed in <c>request_duration_seconds</c>. The package's generator writes a decorator
/// for each interface of the class, which <c>services.AddTracked…()</c> registers; no proxies are made at run time.
/// </summary>
/// <param name="name">The value of the label <c>endpoint</c>; the method's name when left out.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TrackDurationAttribute(string? name = null) : Attribute
{
    public string? Name { get; } = name;
}

/// <summary>On a method of a service: what it throws is counted in <c>errors_total</c> by kind, and passes.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TrackErrorsAttribute : Attribute;
