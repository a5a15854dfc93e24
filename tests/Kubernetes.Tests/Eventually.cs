namespace OptiInfra.Kubernetes.Tests;

/// <summary>Waits for what must come; how long it takes never decides a test, only that it comes at all.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, string what = "what was waited for")
    {
        var real = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(real.Elapsed < TimeSpan.FromSeconds(20), $"{what} did not happen");
            await Task.Delay(5);
        }
    }
}
