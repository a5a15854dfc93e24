namespace OptiInfra.PromQL.Data;

/// <summary>
/// The NaN by which Prometheus says "this series has ended here". It is told from other NaNs by its bits alone, so a value
/// that may be one must be tested before any arithmetic. The engine also uses it for "no sample at this step".
/// </summary>
internal static class StaleMarker
{
    private const long Bits = 0x7ff0000000000002;

    public static readonly double Value = BitConverter.Int64BitsToDouble(Bits);

    public static bool Is(double value) => BitConverter.DoubleToInt64Bits(value) == Bits;
}
