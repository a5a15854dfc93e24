using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>Addresses and ports drawn for an object; given back when it is not stored after all.</summary>
internal sealed class Allocation(Action? giveBack) : IDisposable
{
    public static readonly Allocation None = new(null);

    private bool kept;

    public void Keep() => kept = true;

    public void Dispose()
    {
        if (!kept)
        {
            giveBack?.Invoke();
        }
    }
}

/// <summary>Hands out cluster IPs and node ports of Services.</summary>
internal sealed class AddressAllocator
{
    private const int FirstNodePort = 30000;
    private const int LastNodePort = 32767;

    private readonly Lock gate = new();
    private readonly HashSet<string> addresses = [];
    private readonly HashSet<long> ports = [];
    private int nextAddress = 1;
    private int nextPort = FirstNodePort;

    public Allocation ForCreate(ResourceInfo info, JsonObject obj) =>
        info is { Group: "", Kind: "Service" } ? Allocate(obj.Ensure("spec")) : Allocation.None;

    public Allocation ForUpdate(ResourceInfo info, JsonObject obj, JsonObject old)
    {
        if (info is not { Group: "", Kind: "Service" })
        {
            return Allocation.None;
        }

        ServiceAddresses.Carry(obj.Ensure("spec"), old.Obj("spec") ?? []);
        return Allocate(obj.Ensure("spec"));
    }

    public void Release(ResourceInfo info, JsonObject obj)
    {
        if (info is not { Group: "", Kind: "Service" })
        {
            return;
        }

        lock (gate)
        {
            foreach (string address in obj.Obj("spec").Arr("clusterIPs").Strings())
            {
                addresses.Remove(address);
            }

            foreach (JsonObject port in obj.Obj("spec").Arr("ports").Objects())
            {
                ports.Remove(port.Int("nodePort") ?? 0);
            }
        }
    }

    /// <summary>Takes note of what a restored object holds.</summary>
    public void Adopt(JsonObject service)
    {
        lock (gate)
        {
            addresses.UnionWith(service.Obj("spec").Arr("clusterIPs").Strings());
            ports.UnionWith(service.Obj("spec").Arr("ports").Objects().Select(port => port.Int("nodePort") ?? 0));
        }
    }

    private Allocation Allocate(JsonObject spec)
    {
        List<string> drawnAddresses = [];
        List<long> drawnPorts = [];
        lock (gate)
        {
            string type = spec.Str("type") ?? "ClusterIP";
            if (type != "ExternalName" && string.IsNullOrEmpty(spec.Str("clusterIP")))
            {
                string address = NextAddress_NeedsLock();
                drawnAddresses.Add(address);
                spec["clusterIP"] = address;
                spec["clusterIPs"] = new JsonArray(address);
            }
            else if (spec.Str("clusterIP") is { Length: > 0 } given && type != "ExternalName")
            {
                spec["clusterIPs"] ??= new JsonArray(given);
                if (given != "None" && addresses.Add(given))
                {
                    drawnAddresses.Add(given);
                }
            }

            ServiceAddresses.FillFamilies(spec);

            if (type is "NodePort" or "LoadBalancer" && spec.Bool("allocateLoadBalancerNodePorts") != false)
            {
                foreach (JsonObject port in spec.Arr("ports").Objects())
                {
                    if ((port.Int("nodePort") ?? 0) == 0)
                    {
                        long number = NextPort_NeedsLock();
                        drawnPorts.Add(number);
                        port["nodePort"] = number;
                    }
                    else if (ports.Add(port.Int("nodePort")!.Value))
                    {
                        drawnPorts.Add(port.Int("nodePort")!.Value);
                    }
                }
            }
        }

        return drawnAddresses.Count + drawnPorts.Count == 0 ? Allocation.None : new Allocation(() => GiveBack(drawnAddresses, drawnPorts));
    }

    private void GiveBack(List<string> drawnAddresses, List<long> drawnPorts)
    {
        lock (gate)
        {
            addresses.ExceptWith(drawnAddresses);
            ports.ExceptWith(drawnPorts);
        }
    }

    private string NextAddress_NeedsLock()
    {
        while (true)
        {
            int number = nextAddress++ % 0x10000;
            string address = $"10.96.{number >> 8}.{number & 0xff}";
            if ((number & 0xff) is not (0 or 255) && addresses.Add(address))
            {
                return address;
            }
        }
    }

    private long NextPort_NeedsLock()
    {
        while (true)
        {
            int port = nextPort;
            nextPort = port >= LastNodePort ? FirstNodePort : port + 1;
            if (ports.Add(port))
            {
                return port;
            }
        }
    }
}
