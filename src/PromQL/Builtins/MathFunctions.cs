using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;

namespace OptiInfra.PromQL.Builtins;

/// <summary>Functions of one number, and those that choose among numbers.</summary>
internal static class MathFunctions
{
    public static IEnumerable<KeyValuePair<string, VectorFunction>> Elementwise =>
        new (string Name, Func<double, double> Compute)[]
        {
            ("abs", Math.Abs), ("ceil", Math.Ceiling), ("floor", Math.Floor), ("exp", GoMath.Exp), ("sqrt", Math.Sqrt),
            ("ln", GoMath.Log), ("log2", GoMath.Log2), ("log10", GoMath.Log10), ("sgn", value => value < 0 ? -1 : value > 0 ? 1 : value),
            ("sin", GoMath.Sin), ("cos", GoMath.Cos), ("tan", Math.Tan), ("asin", GoMath.Asin), ("acos", GoMath.Acos), ("atan", GoMath.Atan),
            ("sinh", Math.Sinh), ("cosh", Math.Cosh), ("tanh", Math.Tanh), ("asinh", Math.Asinh), ("acosh", Math.Acosh), ("atanh", Math.Atanh),
            ("rad", value => value * Math.PI / 180), ("deg", value => value * 180 / Math.PI),
        }.Select(entry => KeyValuePair.Create<string, VectorFunction>(entry.Name, call => call.Map((value, _) => entry.Compute(value))));

    public static List<EvalSeries> Clamp(FunctionCall call) => Clamp(call, call.Args[1][0].Float, call.Args[2][0].Float);

    public static List<EvalSeries> ClampMin(FunctionCall call) => Clamp(call, call.Args[1][0].Float, _ => double.PositiveInfinity);

    public static List<EvalSeries> ClampMax(FunctionCall call) => Clamp(call, _ => double.NegativeInfinity, call.Args[1][0].Float);

    /// <summary>Ties are rounded up. The division is by the inverse, which loses less.</summary>
    public static List<EvalSeries> Round(FunctionCall call)
    {
        EvalSeries? nearest = call.Args.Length > 1 ? call.Args[1][0] : null;
        return call.Map((value, i) =>
        {
            double inverse = 1.0 / (nearest?.Float(i) ?? 1);
            return Math.Floor(value * inverse + 0.5) / inverse;
        });
    }

    /// <summary>The value of the only float series, or NaN.</summary>
    public static List<EvalSeries> Scalar(FunctionCall call) => call.Scalar(i =>
    {
        double found = double.NaN;
        int count = 0;
        foreach (EvalSeries series in call.Args[0])
        {
            if (series.TryFloat(i, out double value))
            {
                found = value;
                count++;
            }
        }
        return count == 1 ? found : double.NaN;
    });

    private static List<EvalSeries> Clamp(FunctionCall call, Func<int, double> min, Func<int, double> max) => call.Map((value, i) =>
        max(i) < min(i) ? StaleMarker.Value : Math.Max(min(i), Math.Min(max(i), value)));
}
