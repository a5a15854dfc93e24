namespace OptiInfra.ApiServer.Registry;

/// <summary>
/// Which resources are served. An immutable picture that is replaced when a custom definition comes, changes or goes;
/// a request works on the picture it started with.
/// </summary>
internal sealed class ResourceRegistry
{
    private readonly Lock gate = new();
    private volatile Picture picture;

    public ResourceRegistry(IEnumerable<ResourceInfo> builtins) => picture = Picture.Of([.. builtins]);

    public Picture Current => picture;

    public void Update(Func<IReadOnlyList<ResourceInfo>, IEnumerable<ResourceInfo>> change)
    {
        lock (gate)
        {
            picture = Picture.Of([.. change(picture.All)]);
        }
    }

    internal sealed class Picture
    {
        private readonly Dictionary<(string Group, string Version, string Plural), ResourceInfo> byPath = [];
        private readonly Dictionary<(string Group, string Version, string Kind), ResourceInfo> byKind = [];
        private readonly HashSet<(string Group, string Version)> versions = [];

        public required IReadOnlyList<ResourceInfo> All { get; init; }

        /// <summary>Grows with every change; names documents made from this picture.</summary>
        public required long Serial { get; init; }

        private static long serial;

        public static Picture Of(IReadOnlyList<ResourceInfo> all)
        {
            Picture made = new() { All = all, Serial = Interlocked.Increment(ref serial) };
            foreach (ResourceInfo info in all)
            {
                made.byPath[(info.Group, info.Version, info.Plural)] = info;
                made.byKind.TryAdd((info.Group, info.Version, info.Kind), info);
                made.versions.Add((info.Group, info.Version));
            }

            return made;
        }

        public ResourceInfo? Find(string group, string version, string plural) => byPath.GetValueOrDefault((group, version, plural));

        public ResourceInfo? FindKind(string group, string version, string kind) => byKind.GetValueOrDefault((group, version, kind));

        public bool Serves(string group, string version) => versions.Contains((group, version));

        public bool IsCustomGroup(string group) => All.Any(info => info.Group == group && info.IsCustom) && !All.Any(info => info.Group == group && !info.IsCustom);

        public bool ServesGroup(string group) => versions.Any(entry => entry.Group == group);
    }
}
