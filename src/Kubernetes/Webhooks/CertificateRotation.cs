using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OptiInfra.Kubernetes.Webhooks;

/// <summary>Where a rotation stands.</summary>
public enum RotationPhase
{
    /// <summary>One authority, and a certificate from it.</summary>
    Stable,

    /// <summary>A new authority is to be trusted by everybody; the old certificate still serves.</summary>
    Announced,

    /// <summary>A certificate from the new authority serves; the old authority is still trusted by those who are slow.</summary>
    Swapped,
}

/// <summary>An authority's or a server's certificate with its key, as PEM.</summary>
public sealed record KeyPair(string CertificatePem, string KeyPem, DateTimeOffset NotAfter);

/// <summary>Authority, certificate, and how far the exchange for new ones has come. Immutable; kept in a Secret or in memory.</summary>
public sealed record CertificateSet(RotationPhase Phase, KeyPair Authority, KeyPair? NextAuthority, KeyPair Serving, DateTimeOffset Since)
{
    /// <summary>What goes into <c>caBundle</c>: everybody whose certificates may be met now.</summary>
    public string CaBundle => NextAuthority is null ? Authority.CertificatePem : $"{Authority.CertificatePem}\n{NextAuthority.CertificatePem}";
}

/// <summary>
/// Replaces authority and certificate so that no connection fails in between: first everybody learns the new authority, then the
/// server shows a certificate from it, then the old authority is forgotten. Each step is taken only when the one before is
/// known to be everywhere; a process that dies midway goes on from the phase it finds.
/// </summary>
public sealed class CertificateRotation(string commonName, IReadOnlyList<string> dnsNames, TimeProvider time)
{
    public TimeSpan AuthorityLife { get; init; } = TimeSpan.FromDays(365);

    public TimeSpan ServingLife { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long after a step everybody is taken to know of it.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The first set, for a server that has none.</summary>
    public CertificateSet Create()
    {
        KeyPair authority = NewAuthority();
        return new CertificateSet(RotationPhase.Stable, authority, null, Issue(authority), time.GetUtcNow());
    }

    /// <summary>The set that should be in force now: the same one, or one step further.</summary>
    public CertificateSet Next(CertificateSet set, bool force = false)
    {
        ArgumentNullException.ThrowIfNull(set);
        DateTimeOffset now = time.GetUtcNow();
        bool settled = force || now - set.Since >= Settle;
        return set.Phase switch
        {
            RotationPhase.Stable when force || IsOld(set.Authority, AuthorityLife, now) =>
                set with { Phase = RotationPhase.Announced, NextAuthority = NewAuthority(), Since = now },
            RotationPhase.Stable when IsOld(set.Serving, ServingLife, now) =>
                set with { Serving = Issue(set.Authority), Since = now },
            RotationPhase.Announced when settled =>
                set with { Phase = RotationPhase.Swapped, Serving = Issue(set.NextAuthority!), Since = now },
            RotationPhase.Swapped when settled =>
                new CertificateSet(RotationPhase.Stable, set.NextAuthority!, null, set.Serving, now),
            _ => set,
        };
    }

    // The last third of a life is time enough to notice that rotation does not work.
    private static bool IsOld(KeyPair pair, TimeSpan life, DateTimeOffset now) => pair.NotAfter - now < life / 3;

    private KeyPair NewAuthority()
    {
        DateTimeOffset now = time.GetUtcNow();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}-ca-{now.ToUnixTimeSeconds()}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        var identifier = new X509SubjectKeyIdentifierExtension(request.PublicKey, false);
        request.CertificateExtensions.Add(identifier);
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddMinutes(-5), now + AuthorityLife);
        return new KeyPair(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), now + AuthorityLife);
    }

    private KeyPair Issue(KeyPair authority)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset end = now + ServingLife < authority.NotAfter ? now + ServingLife : authority.NotAfter;
        using X509Certificate2 issuer = X509Certificate2.CreateFromPem(authority.CertificatePem, authority.KeyPem);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (string name in dnsNames)
        {
            if (System.Net.IPAddress.TryParse(name, out System.Net.IPAddress? address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, true, false));
        using X509Certificate2 certificate = request.Create(issuer, now.AddMinutes(-5), end, RandomNumberGenerator.GetBytes(16));
        return new KeyPair(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), end);
    }
}
