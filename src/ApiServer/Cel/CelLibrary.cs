using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text.RegularExpressions;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>An address with the length of its network part.</summary>
internal sealed record CidrValue(IPAddress Address, int PrefixLength)
{
    public IPAddress Masked
    {
        get
        {
            byte[] bytes = Address.GetAddressBytes();
            for (int i = 0; i < bytes.Length; i++)
            {
                int keep = Math.Clamp(PrefixLength - (i * 8), 0, 8);
                bytes[i] &= (byte)(0xFF << (8 - keep));
            }

            return new IPAddress(bytes);
        }
    }

    public bool Contains(IPAddress other) => other.AddressFamily == Address.AddressFamily && new CidrValue(other, PrefixLength).Masked.Equals(Masked);

    public override string ToString() => $"{Address}/{PrefixLength}";
}

/// <summary>The functions that Kubernetes adds to the language: lists, regular expressions, URLs, quantities, addresses, sets.</summary>
internal static class CelLibrary
{
    private static readonly CelType[] Ordered = [CelType.Int, CelType.Uint, CelType.Double, CelType.Bool, CelType.Duration, CelType.Timestamp, CelType.String, CelType.Bytes];

    public static IEnumerable<Overload> Overloads() => Lists().Concat(RegularExpressions()).Concat(Urls()).Concat(Quantities()).Concat(Addresses()).Concat(Sets());

    private static Overload Global(string name, CelType[] operands, CelType result, Func<object?[], object?> run) => CelFunctions.Global(name, operands, result, run);

    private static Overload Member(string name, CelType[] operands, CelType result, Func<object?[], object?> run) => CelFunctions.Member(name, operands, result, run);

    private static (ulong, ulong?) PerItem(ulong[] sizes) => (sizes[0], null);

    private static IEnumerable<Overload> Lists()
    {
        CelType any = CelType.List(CelType.A);
        foreach (CelType type in Ordered)
        {
            CelType list = CelType.List(type);
            yield return Member("isSorted", [list], CelType.Bool, static o => IsSorted((CelList)o[0]!)) with { Cost = PerItem };
            yield return Member("min", [list], type, static o => Extreme((CelList)o[0]!, -1)) with { Cost = PerItem };
            yield return Member("max", [list], type, static o => Extreme((CelList)o[0]!, 1)) with { Cost = PerItem };
        }

        yield return Member("sum", [CelType.List(CelType.Int)], CelType.Int, static o => ((CelList)o[0]!).Items.Aggregate(0L, static (sum, item) => checked(sum + (long)item!))) with { Cost = PerItem };
        yield return Member("sum", [CelType.List(CelType.Uint)], CelType.Uint, static o => ((CelList)o[0]!).Items.Aggregate(0UL, static (sum, item) => checked(sum + (ulong)item!))) with { Cost = PerItem };
        yield return Member("sum", [CelType.List(CelType.Double)], CelType.Double, static o => ((CelList)o[0]!).Items.Sum(static item => (double)item!)) with { Cost = PerItem };
        yield return Member("sum", [CelType.List(CelType.Duration)], CelType.Duration, static o => ((CelList)o[0]!).Items.Aggregate(TimeSpan.Zero, static (sum, item) => sum + (TimeSpan)item!)) with { Cost = PerItem };
        yield return Member("indexOf", [any, CelType.A], CelType.Int, static o => (long)((CelList)o[0]!).Items.ToList().FindIndex(item => CelValue.AreEqual(item, o[1]))) with { Cost = PerItem };
        yield return Member("lastIndexOf", [any, CelType.A], CelType.Int, static o => (long)((CelList)o[0]!).Items.ToList().FindLastIndex(item => CelValue.AreEqual(item, o[1]))) with { Cost = PerItem };
    }

    private static bool IsSorted(CelList list)
    {
        for (int i = 1; i < list.Count; i++)
        {
            if ((CelValue.Compare(list[i - 1], list[i]) ?? throw CelException.NoOverload()) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private static object? Extreme(CelList list, int direction)
    {
        object? best = list.Count > 0 ? list[0] : throw new CelException((direction < 0 ? "min" : "max") + " called on empty list");
        foreach (object? item in list.Items)
        {
            best = (CelValue.Compare(item, best) ?? throw CelException.NoOverload()) * direction > 0 ? item : best;
        }

        return best;
    }

    private static IEnumerable<Overload> RegularExpressions()
    {
        CelType s = CelType.String;
        return
        [
            Member("find", [s, s], s, static o => Compile(o[1]).Match((string)o[0]!).Value) with { Cost = CelCosts.Regex },
            Member("findAll", [s, s], CelType.List(s), static o => FindAll(o, -1)) with { Cost = CelCosts.Regex },
            Member("findAll", [s, s, CelType.Int], CelType.List(s), static o => FindAll(o, (long)o[2]!)) with { Cost = CelCosts.Regex },
        ];
    }

    private static Regex Compile(object? pattern) => GoRegex.TryCompile((string)pattern!, out Regex regex, out string error) ? regex : throw new CelException(error);

    private static CelList FindAll(object?[] o, long limit) =>
        CelList.Of([.. Compile(o[1]).Matches((string)o[0]!).Take(limit < 0 ? int.MaxValue : (int)limit).Select(static match => (object?)match.Value)]);

    private static bool TryUrl(object? text, out Uri? url)
    {
        string value = (string)text!;
        url = null;
        return (value.StartsWith('/') ? Uri.TryCreate(value, new UriCreationOptions(), out url) : Uri.TryCreate(value, UriKind.Absolute, out url)) && url is not null;
    }

    private static IEnumerable<Overload> Urls()
    {
        Overload Part(string name, CelType type, Func<Uri, object?> read) => Member(name, [CelType.Url], type, o => read((Uri)o[0]!));
        static bool IsPath(Uri url) => url.OriginalString.StartsWith('/');
        return
        [
            Global("url", [CelType.String], CelType.Url, static o => TryUrl(o[0], out Uri? url) ? url : throw new CelException($"URL parse error during conversion from string: parse \"{o[0]}\": invalid URI for request")) with { Cost = CelCosts.Traverse },
            Global("isURL", [CelType.String], CelType.Bool, static o => TryUrl(o[0], out _)) with { Cost = CelCosts.Traverse },
            Part("getScheme", CelType.String, static url => IsPath(url) ? "" : url.Scheme),
            Part("getHost", CelType.String, static url => IsPath(url) ? "" : url.OriginalString.Contains($":{url.Port}") ? $"{url.Host}:{url.Port}" : url.Host),
            Part("getHostname", CelType.String, static url => IsPath(url) ? "" : url.Host.Trim('[', ']')),
            Part("getPort", CelType.String, static url => !IsPath(url) && url.OriginalString.Contains($":{url.Port}") ? url.Port.ToString() : ""),
            Part("getEscapedPath", CelType.String, static url => IsPath(url) ? url.OriginalString.Split('?')[0] : url.AbsolutePath == "/" && !url.OriginalString.TrimEnd().EndsWith('/') ? "" : url.AbsolutePath),
            Part("getQuery", CelType.Map(CelType.String, CelType.List(CelType.String)), static url => Query(url)),
        ];
    }

    private static CelMap Query(Uri url)
    {
        int mark = url.OriginalString.IndexOf('?', StringComparison.Ordinal);
        string query = mark < 0 ? "" : url.OriginalString[(mark + 1)..].Split('#')[0];
        IEnumerable<(string Name, string Value)> pairs = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static pair => pair.Split('=', 2))
            .Select(static pair => (Uri.UnescapeDataString(pair[0].Replace('+', ' ')), pair.Length > 1 ? Uri.UnescapeDataString(pair[1].Replace('+', ' ')) : ""));
        return CelMap.Of(pairs.GroupBy(static pair => pair.Name).ToDictionary(static group => (object)group.Key, static group => (object?)CelList.Of([.. group.Select(static pair => (object?)pair.Value)])));
    }

    private static IEnumerable<Overload> Quantities()
    {
        CelType q = CelType.Quantity;
        static Quantity Of(object? value) => (Quantity)value!;
        return
        [
            Global("quantity", [CelType.String], q, static o => Quantity.TryParse((string)o[0]!, out Quantity quantity) ? quantity : throw new CelException(Quantity.SyntaxError)) with { Cost = CelCosts.Traverse },
            Global("isQuantity", [CelType.String], CelType.Bool, static o => Quantity.TryParse((string)o[0]!, out _)) with { Cost = CelCosts.Traverse },
            Member("isInteger", [q], CelType.Bool, static o => Of(o[0]).TryInteger(out _)),
            Member("asInteger", [q], CelType.Int, static o => Of(o[0]).TryInteger(out long number) ? number : throw new CelException("cannot convert value to integer")),
            Member("asApproximateFloat", [q], CelType.Double, static o => Of(o[0]).AsDouble),
            Member("sign", [q], CelType.Int, static o => (long)Of(o[0]).Nano.Sign),
            Member("compareTo", [q, q], CelType.Int, static o => (long)Math.Sign(Of(o[0]).CompareTo(Of(o[1])))),
            Member("isLessThan", [q, q], CelType.Bool, static o => Of(o[0]).CompareTo(Of(o[1])) < 0),
            Member("isGreaterThan", [q, q], CelType.Bool, static o => Of(o[0]).CompareTo(Of(o[1])) > 0),
            Member("add", [q, q], q, static o => Of(o[0]) + Of(o[1])),
            Member("add", [q, CelType.Int], q, static o => Of(o[0]) + Quantity.OfInteger((long)o[1]!)),
            Member("sub", [q, q], q, static o => Of(o[0]) - Of(o[1])),
            Member("sub", [q, CelType.Int], q, static o => Of(o[0]) - Quantity.OfInteger((long)o[1]!)),
        ];
    }

    // Stricter than the platform: no zones, no IPv4 in IPv6, no leading zeros, no short forms.
    private static bool TryIp(object? text, out IPAddress address)
    {
        string value = (string)text!;
        bool parsed = IPAddress.TryParse(value, out IPAddress? found);
        address = found ?? IPAddress.None;
        return parsed && !value.Contains('%') && !address.IsIPv4MappedToIPv6
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || (value.Split('.') is { Length: 4 } parts && parts.All(static part => part == "0" || part[0] != '0')));
    }

    private static bool TryCidr(object? text, out CidrValue cidr)
    {
        string[] parts = ((string)text!).Split('/');
        cidr = new CidrValue(IPAddress.None, 0);
        if (parts.Length != 2 || !TryIp(parts[0], out IPAddress address) || !int.TryParse(parts[1], System.Globalization.NumberStyles.None, null, out int bits) || bits > address.GetAddressBytes().Length * 8)
        {
            return false;
        }

        cidr = new CidrValue(address, bits);
        return true;
    }

    private static IEnumerable<Overload> Addresses()
    {
        CelType ip = CelType.Ip;
        CelType cidr = CelType.Cidr;
        CelType s = CelType.String;
        static IPAddress Ip(object? text) => TryIp(text, out IPAddress address) ? address : throw new CelException($"IP Address \"{text}\" parse error during conversion from string");
        static CidrValue Network(object? value) => value as CidrValue ?? (TryCidr(value, out CidrValue network) ? network : throw new CelException($"network address parse error during conversion from string: \"{value}\""));
        return
        [
            Global("ip", [s], ip, static o => Ip(o[0])) with { Cost = CelCosts.Traverse },
            Global("isIP", [s], CelType.Bool, static o => TryIp(o[0], out _)) with { Cost = CelCosts.Traverse },
            Global("ip.isCanonical", [s], CelType.Bool, static o => Ip(o[0]).ToString() == (string)o[0]!) with { Cost = static sizes => (CelCosts.Scale(sizes[0], 0.2), null) },
            Member("family", [ip], CelType.Int, static o => ((IPAddress)o[0]!).AddressFamily == AddressFamily.InterNetwork ? 4L : 6L),
            Member("isUnspecified", [ip], CelType.Bool, static o => o[0] is IPAddress a && (a.Equals(IPAddress.Any) || a.Equals(IPAddress.IPv6Any))),
            Member("isLoopback", [ip], CelType.Bool, static o => IPAddress.IsLoopback((IPAddress)o[0]!)),
            Member("isLinkLocalMulticast", [ip], CelType.Bool, static o => o[0] is IPAddress a && a.GetAddressBytes() is var b && (b.Length == 4 ? b[0] == 224 && b[1] == 0 && b[2] == 0 : b[0] == 0xff && (b[1] & 0x0f) == 2)),
            Member("isLinkLocalUnicast", [ip], CelType.Bool, static o => o[0] is IPAddress a && IsLinkLocal(a)),
            Member("isGlobalUnicast", [ip], CelType.Bool, static o => o[0] is IPAddress a && IsGlobal(a)),
            Global("cidr", [s], cidr, static o => Network(o[0])) with { Cost = CelCosts.Traverse },
            Global("isCIDR", [s], CelType.Bool, static o => TryCidr(o[0], out _)) with { Cost = CelCosts.Traverse },
            Member("containsIP", [cidr, ip], CelType.Bool, static o => ((CidrValue)o[0]!).Contains((IPAddress)o[1]!)) with { Cost = static _ => (4, null) },
            Member("containsIP", [cidr, s], CelType.Bool, static o => ((CidrValue)o[0]!).Contains(Ip(o[1]))) with { Cost = static sizes => (CelCosts.Add(4, CelCosts.Tenth(sizes[1])), null) },
            Member("containsCIDR", [cidr, cidr], CelType.Bool, static o => ContainsCidr((CidrValue)o[0]!, (CidrValue)o[1]!)) with { Cost = static _ => (7, null) },
            Member("containsCIDR", [cidr, s], CelType.Bool, static o => ContainsCidr((CidrValue)o[0]!, Network(o[1]))) with { Cost = static sizes => (CelCosts.Add(7, CelCosts.Tenth(sizes[1])), null) },
            Member("ip", [cidr], ip, static o => ((CidrValue)o[0]!).Address),
            Member("masked", [cidr], cidr, static o => (CidrValue)o[0]! is var network ? network with { Address = network.Masked } : null),
            Member("prefixLength", [cidr], CelType.Int, static o => (long)((CidrValue)o[0]!).PrefixLength),
        ];
    }

    private static bool ContainsCidr(CidrValue outer, CidrValue inner) => outer.PrefixLength <= inner.PrefixLength && outer.Contains(inner.Address);

    private static bool IsLinkLocal(IPAddress address) => address.GetAddressBytes() is [169, 254, _, _] || address.IsIPv6LinkLocal;

    private static bool IsGlobal(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        bool multicast = bytes.Length == 4 ? bytes[0] >= 224 && bytes[0] < 240 : bytes[0] == 0xff;
        return !multicast && !IPAddress.IsLoopback(address) && !IsLinkLocal(address) && !address.Equals(IPAddress.Broadcast) && new BigInteger(bytes, isUnsigned: true) != 0;
    }

    private static IEnumerable<Overload> Sets()
    {
        CelType list = CelType.List(CelType.A);
        CostRule product = static sizes => (CelCosts.Multiply(sizes[0], sizes[1]), null);
        static bool Contains(object? outer, object? inner) => ((CelList)inner!).Items.All(item => ((CelList)outer!).Items.Any(other => CelValue.AreEqual(item, other)));
        return
        [
            Global("sets.contains", [list, list], CelType.Bool, static o => Contains(o[0], o[1])) with { Cost = product },
            Global("sets.equivalent", [list, list], CelType.Bool, static o => Contains(o[0], o[1]) && Contains(o[1], o[0])) with { Cost = product },
            Global("sets.intersects", [list, list], CelType.Bool, static o => ((CelList)o[0]!).Items.Any(item => ((CelList)o[1]!).Items.Any(other => CelValue.AreEqual(item, other)))) with { Cost = product },
        ];
    }
}
