namespace OptiInfra.PromQL.Data;

/// <summary>
/// Elementary functions with the rounding of Go on amd64, bit for bit. promtool compares results exactly, so where its library and
/// ours differ in the last digit, ours would fail tests that pass there. The methods are the classic ones: fdlibm for the
/// logarithm (https://www.netlib.org/fdlibm/), Cephes for the circular functions (https://www.netlib.org/cephes/), a Taylor series
/// after argument reduction for exp (Shibata 2010, https://doi.org/10.1007/s00450-010-0108-2), repeated squaring for powers.
/// </summary>
internal static class GoMath
{
    /// <summary>From here on Cephes' reduction of angles loses digits.</summary>
    private const double LargeAngle = 1 << 29;

    private static readonly double[] ExpSeries =
        [2.4801587301587301587e-5, 1.9841269841269841270e-4, 1.3888888888888888889e-3, 8.3333333333333333333e-3, 4.1666666666666666667e-2, 1.6666666666666666667e-1, 0.5, 1.0];

    private static readonly double[] SinSeries =
        [1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6, -1.98412698295895385996e-4, 8.33333333332211858878e-3, -1.66666666666666307295e-1];

    private static readonly double[] CosSeries =
        [-1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7, 2.48015872888517045348e-5, -1.38888888888730564116e-3, 4.16666666666665929218e-2];

    private static readonly double[] AtanNumerator =
        [-8.750608600031904122785e-01, -1.615753718733365076637e+01, -7.500855792314704667340e+01, -1.228866684490136173410e+02, -6.485021904942025371773e+01];

    private static readonly double[] AtanDenominator =
        [1, 2.485846490142306297962e+01, 1.650270098316988542046e+02, 4.328810604912902668951e+02, 4.853903996359136964868e+02, 1.945506571482613964425e+02];

    public static double Exp(double x)
    {
        if (double.IsNaN(x) || double.IsInfinity(x) || x > 7.09782712893384e+02)
        {
            return double.IsNegativeInfinity(x) ? 0 : x > 0 ? double.PositiveInfinity : x;
        }
        double k = Math.Round(x * 1.4426950408889634, MidpointRounding.ToEven);
        // ln 2 in two parts, so that the remainder keeps its digits.
        double r = Math.FusedMultiplyAdd(-0.69314718055966295651160180568695068359375, k, x);
        r = Math.FusedMultiplyAdd(-0.28235290563031577122588448175013436025525412068e-12, k, r) * 0.0625;
        double sum = ExpSeries[0];
        foreach (double coefficient in ExpSeries.AsSpan(1))
        {
            sum = Math.FusedMultiplyAdd(sum, r, coefficient);
        }
        // e^r - 1 for a sixteenth of the argument; (1 + y)^2 - 1 = y (y + 2), four times over.
        double y = r * sum;
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        return Math.ScaleB(Math.FusedMultiplyAdd(y + 2, y, 1), (int)Math.Max(k, -2000));
    }

    public static double Log(double x)
    {
        if (double.IsNaN(x) || double.IsPositiveInfinity(x))
        {
            return x;
        }
        if (x <= 0)
        {
            return x < 0 ? double.NaN : double.NegativeInfinity;
        }
        (double fraction, int exponent) = Split(x);
        if (fraction < 0.70710678118654752440)
        {
            fraction *= 2;
            exponent--;
        }
        double f = fraction - 1, k = exponent;
        double s = f / (2 + f);
        double s2 = s * s, s4 = s2 * s2;
        double odd = s2 * (6.666666666666735130e-01 + s4 * (2.857142874366239149e-01 + s4 * (1.818357216161805012e-01 + s4 * 1.479819860511658591e-01)));
        double even = s4 * (3.999999999940941908e-01 + s4 * (2.222219843214978396e-01 + s4 * 1.531383769920937332e-01));
        double half = 0.5 * f * f;
        return k * 6.93147180369123816490e-01 - ((half - (s * (half + (odd + even)) + k * 1.90821492927058770002e-10)) - f);
    }

    public static double Log2(double x)
    {
        if (x <= 0 || !double.IsFinite(x))
        {
            return Log(x);
        }
        (double fraction, int exponent) = Split(x);
        return fraction == 0.5 ? exponent - 1 : Log(fraction) * 1.44269504088896340735992468100189214 + exponent;
    }

    public static double Log10(double x) => Log(x) * 0.43429448190325182765112891891660508229;

    public static double Pow(double x, double y)
    {
        if (x == 0 || y == 0 || x == 1 || !double.IsFinite(x) || !double.IsFinite(y))
        {
            return Math.Pow(x, y); // The special cases are IEEE 754's.
        }
        if (y is 1 or 0.5 or -0.5)
        {
            return y == 1 ? x : y > 0 ? Math.Sqrt(x) : 1 / Math.Sqrt(x);
        }
        double whole = Math.Truncate(Math.Abs(y)), part = Math.Abs(y) - whole;
        if (part != 0 && x < 0)
        {
            return double.NaN;
        }
        if (whole >= 9.2e18)
        {
            return x == -1 ? 1 : (Math.Abs(x) < 1) == (y > 0) ? 0 : double.PositiveInfinity;
        }
        double result = 1;
        if (part != 0)
        {
            if (part > 0.5)
            {
                part--;
                whole++;
            }
            result = Exp(part * Log(x));
        }
        int power = 0;
        SquareUp(x, (long)whole, ref result, ref power);
        return y < 0 ? Math.ScaleB(1 / result, -power) : Math.ScaleB(result, power);
    }

    public static double Sin(double x)
    {
        if (x == 0 || !(Math.Abs(x) < LargeAngle))
        {
            return Math.Sin(x);
        }
        (ulong octant, double z) = Reduce(Math.Abs(x));
        bool negative = (x < 0) ^ (octant > 3);
        double y = (octant & 3) is 1 or 2 ? CosOf(z) : SinOf(z);
        return negative ? -y : y;
    }

    public static double Cos(double x)
    {
        if (!(Math.Abs(x) < LargeAngle))
        {
            return Math.Cos(x);
        }
        (ulong octant, double z) = Reduce(Math.Abs(x));
        bool negative = (octant > 3) ^ ((octant & 3) > 1);
        double y = (octant & 3) is 1 or 2 ? SinOf(z) : CosOf(z);
        return negative ? -y : y;
    }

    public static double Atan(double x) => x == 0 ? x : x > 0 ? PositiveAtan(x) : -PositiveAtan(-x);

    public static double Asin(double x)
    {
        double size = Math.Abs(x);
        if (x == 0 || !(size <= 1))
        {
            return x == 0 ? x : double.NaN;
        }
        double other = Math.Sqrt(1 - size * size);
        double y = size > 0.7 ? Math.PI / 2 - PositiveAtan(other / size) : PositiveAtan(size / other);
        return x < 0 ? -y : y;
    }

    public static double Acos(double x) => Math.PI / 2 - Asin(x);

    public static double Atan2(double y, double x)
    {
        if (y == 0 || x == 0 || !double.IsFinite(x) || !double.IsFinite(y))
        {
            return Math.Atan2(y, x);
        }
        double q = Atan(y / x);
        return x > 0 ? q : q <= 0 ? q + Math.PI : q - Math.PI;
    }

    /// <summary>A fraction in [0.5, 1) and a power of two.</summary>
    private static (double Fraction, int Exponent) Split(double x)
    {
        int exponent = Math.ILogB(x) + 1;
        return (Math.ScaleB(x, -exponent), exponent);
    }

    /// <summary>Multiplies the result by x to a whole power, powers of two apart so that nothing overflows on the way.</summary>
    private static void SquareUp(double x, long times, ref double result, ref int power)
    {
        (double square, int exponent) = Split(Math.Abs(x));
        square = x < 0 ? -square : square;
        for (; times != 0; times >>= 1)
        {
            if (exponent is < -(1 << 12) or > 1 << 12)
            {
                power += exponent;
                return;
            }
            if ((times & 1) == 1)
            {
                result *= square;
                power += exponent;
            }
            square *= square;
            exponent <<= 1;
            if (square < 0.5)
            {
                square += square;
                exponent--;
            }
        }
    }

    /// <summary>The octant of an angle and the rest, with pi/4 in three parts.</summary>
    private static (ulong Octant, double Angle) Reduce(double x)
    {
        ulong octant = (ulong)(x * (4 / Math.PI));
        octant += octant & 1;
        double y = octant;
        double rest = ((x - y * 7.85398125648498535156e-1) - y * 3.77489470793079817668e-8) - y * 2.69515142907905952645e-15;
        return (octant & 7, rest);
    }

    private static double SinOf(double z)
    {
        double zz = z * z;
        return z + z * zz * Polynomial(SinSeries, zz);
    }

    private static double CosOf(double z)
    {
        double zz = z * z;
        return 1.0 - 0.5 * zz + zz * zz * Polynomial(CosSeries, zz);
    }

    private static double PositiveAtan(double x)
    {
        const double rest = 6.123233995736765886130e-17; // pi/2 has this much more than its double.
        return x <= 0.66 ? SmallAtan(x)
            : x > 2.41421356237309504880 ? Math.PI / 2 - SmallAtan(1 / x) + rest
            : Math.PI / 4 + SmallAtan((x - 1) / (x + 1)) + 0.5 * rest;
    }

    private static double SmallAtan(double x)
    {
        double z = x * x;
        z = z * Polynomial(AtanNumerator, z) / Polynomial(AtanDenominator, z);
        return x * z + x;
    }

    private static double Polynomial(double[] coefficients, double x)
    {
        double sum = coefficients[0];
        foreach (double coefficient in coefficients.AsSpan(1))
        {
            sum = sum * x + coefficient;
        }
        return sum;
    }
}
