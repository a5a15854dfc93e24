using System.Runtime.CompilerServices;

namespace OptiInfra.Metrics;

/// <summary>Where a series is in its life. Only families with an idle timeout ever leave <see cref="Live"/> by themselves.</summary>
internal enum SeriesState
{
    /// <summary>Exposed, and updated since the last sweep (or never swept).</summary>
    Live,

    /// <summary>Exposed, not updated since the last sweep. The next update makes it live.</summary>
    Idle,

    /// <summary>Not exposed any more. The next update through a kept handle puts it back.</summary>
    Expired,

    /// <summary>Removed by the program. Updates through a kept handle are dropped.</summary>
    Removed,
}

/// <summary>
/// One time series: its label values and, in the subclasses, its numbers. The object itself is the handle which programs keep,
/// so an update touches nothing but this object.
/// </summary>
public abstract class Series
{
    private protected Series(MetricFamily family, string[] values, int hash)
    {
        Family = family;
        Values = values;
        Hash = hash;
        CreatedMilliseconds = family?.Registry.Options.Time.GetUtcNow().ToUnixTimeMilliseconds() ?? 0;
    }

    /// <summary>The values of the family's labels, in declared order.</summary>
    public IReadOnlyList<string> LabelValues => Values;

    internal MetricFamily Family { get; }

    internal string[] Values { get; private set; }

    internal int Hash { get; private set; }

    /// <summary>Index in the family's list, so that removal needs no search.</summary>
    internal int Index { get; set; }

    /// <summary>The escaped labels as UTF-8 (<c>a="x",b="y"</c>), static labels included, as all text formats with plain names show them.</summary>
    internal byte[] Fragment { get; init; } = [];

    /// <summary>When the series began, for <c>_created</c> and protobuf's start timestamps.</summary>
    internal long CreatedMilliseconds { get; }

    internal SeriesState State;

    /// <summary>When the sweeper last saw an update, as a timestamp of the registry's clock.</summary>
    internal long LastActive;

    /// <summary>Only for families whose labels grow; the family's lock is held.</summary>
    internal void Rekey(string[] values)
    {
        Values = values;
        Hash = SeriesTable.HashOf(values);
    }

    /// <summary>True when an update may be recorded; costs one compare on the way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected bool Alive() => State == SeriesState.Live || Family.Revive(this);
}
