using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>Reads again and writes again when somebody else wrote in between.</summary>
public static class ConflictRetry
{
    private const int Attempts = 5;

    /// <summary>Runs a read-change-write up to five times, about 10 ms apart; the last conflict is the caller's.</summary>
    public static async Task<TResult> RunAsync<TResult>(
        Func<CancellationToken, Task<TResult>> readChangeWrite, TimeProvider time, Random random, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(readChangeWrite);
        ArgumentNullException.ThrowIfNull(random);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await readChangeWrite(cancellationToken).ConfigureAwait(false);
            }
            catch (KubeApiException e) when (e.IsConflict && attempt < Attempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10 * (1 + (0.1 * random.NextDouble()))), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
