using OptiInfra.ApiServer.Access;
using OptiInfra.ApiServer.Admission;
using OptiInfra.ApiServer.Faults;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer;

/// <summary>What every part of a running server works on: the store, the registry, time and chance. Made once, in one place.</summary>
internal sealed class ApiCore
{
    private readonly Random random;
    private readonly Lock randomGate = new();

    public ApiCore(DevApiServerOptions options, Store store, ResourceRegistry registry)
    {
        Options = options;
        Store = store;
        Registry = registry;
        random = options.Random;
        Writer = new ObjectWriter(this);
        Deleter = new ObjectDeleter(this);
        Reader = new ObjectReader(this);
        Rbac = new Rbac(this);
        Admission = new AdmissionChain(this);
        Chaos = new Chaos(options.Random);
        Fields = new FieldTracker(this);
    }

    public DevApiServerOptions Options { get; }

    public Store Store { get; }

    public ResourceRegistry Registry { get; }

    public TimeProvider Clock => Options.Clock;

    public ObjectWriter Writer { get; }

    public ObjectDeleter Deleter { get; }

    public ObjectReader Reader { get; }

    public Rbac Rbac { get; }

    public Tokens Tokens { get; } = new();

    /// <summary>Cancelled when the server stops; open watches end then.</summary>
    public CancellationToken Stopping { get; set; }

    public Chaos Chaos { get; }

    /// <summary>The certificate that clients inside need to trust this server; empty with plain HTTP.</summary>
    public string CaPem { get; set; } = "";

    public AdmissionChain Admission { get; }

    public FieldTracker Fields { get; }

    public AddressAllocator Allocator { get; } = new();

    /// <summary>Completes when everything written so far survives a crash; at once without a journal.</summary>
    public Task DurableAsync() => Store.Journal?.DurableAsync() ?? Task.CompletedTask;

    /// <summary>The current time as metadata shows it.</summary>
    public string Now() => Clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    /// <summary>Characters as the real server draws them: no vowels and nothing easily confused.</summary>
    public string RandomName(int length)
    {
        const string alphabet = "bcdfghjklmnpqrstvwxz2456789";
        lock (randomGate)
        {
            return string.Create(length, random, static (span, random) =>
            {
                for (int i = 0; i < span.Length; i++)
                {
                    span[i] = alphabet[random.Next(alphabet.Length)];
                }
            });
        }
    }

    public int RandomNumber(int below)
    {
        lock (randomGate)
        {
            return random.Next(below);
        }
    }
}
