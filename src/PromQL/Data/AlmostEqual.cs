namespace OptiInfra.PromQL.Data;

/// <summary>Whether two floats differ by rounding only: by less than their sum times epsilon.</summary>
internal static class AlmostEqual
{
    private static readonly double MinNormal = BitConverter.Int64BitsToDouble(0x0010000000000000);

    public static bool Test(double a, double b, double epsilon)
    {
        if (StaleMarker.Is(a) || StaleMarker.Is(b))
        {
            return StaleMarker.Is(a) && StaleMarker.Is(b);
        }
        if (a == b || (double.IsNaN(a) && double.IsNaN(b)))
        {
            return true;
        }
        double sum = Math.Abs(a) + Math.Abs(b), difference = Math.Abs(a - b);
        return a == 0 || b == 0 || sum < MinNormal ? difference < epsilon * MinNormal : difference / Math.Min(sum, double.MaxValue) < epsilon;
    }
}
