using System.Diagnostics;

namespace OptiInfra.Operator;

/// <summary>Waits for what must become true; the limit only decides how long a failing test takes.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task True(Func<Task<bool>> check) => Get(check, value => value);

    /// <summary>What something is when it has been the same for a second.</summary>
    public static async Task<string> Settled(Func<Task<string>> read)
    {
        string last = await read();
        for (int same = 0; same < 10;)
        {
            await Task.Delay(100);
            string now = await read();
            same = now == last ? same + 1 : 0;
            last = now;
        }

        return last;
    }

    public static async Task<T> Get<T>(Func<Task<T>> read, Predicate<T> wanted)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (true)
        {
            T? last = default;
            Exception? error = null;
            try
            {
                last = await read();
                if (wanted(last))
                {
                    return last;
                }
            }
            catch (Exception caught) when (caught is not OutOfMemoryException)
            {
                error = caught;
            }

            if (watch.Elapsed > Limit)
            {
                throw new Xunit.Sdk.XunitException($"did not happen within {Limit}; last: {error?.ToString() ?? last?.ToString()}");
            }

            await Task.Delay(50);
        }
    }
}
