using System.Globalization;

namespace OptiInfra.Metrics.Sources;

/// <summary>Values of tags, which are objects, as label values. Strings, small numbers and flags cost no allocation.</summary>
internal static class TagText
{
    private static readonly string[] SmallNumbers = [.. Enumerable.Range(0, 1024).Select(number => number.ToString(CultureInfo.InvariantCulture))];

    public static string Of(object? value) => value as string ?? OfOther(value);

    private static string OfOther(object? value) => value switch
    {
        null => "",
        int number when (uint)number < SmallNumbers.Length => SmallNumbers[number],
        long number when (ulong)number < (ulong)SmallNumbers.Length => SmallNumbers[number],
        bool flag => flag ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
