using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Compiler.Compile;

/// <summary>The parts of a scrape job's YAML that all forms share: authentication, TLS, limits, relabelling.</summary>
internal static class ScrapeYaml
{
    /// <summary>What cannot differ between the targets of one job: everything but path, scheme, interval, timeout and labels.</summary>
    public static void SharedSettings(YamlWriter yaml, JobModel job, StackModel stack, SecretFiles secrets, bool targetLimit)
    {
        ScrapeSettings settings = job.Settings;
        yaml.PairIf("honor_labels", settings.HonorLabels == true ? true : null);
        yaml.PairIf("honor_timestamps", settings.HonorTimestamps == false ? false : null);
        Histograms(yaml, settings, stack.Version);
        Limits(yaml, job.Limits, targetLimit);
        yaml.PairIf("follow_redirects", settings.FollowRedirects == false ? false : null);
        Auth(yaml, settings.Auth, secrets);
        Tls(yaml, settings.Tls, secrets);
    }

    public static void Limits(YamlWriter yaml, ScrapeLimits limits, bool targetLimit)
    {
        yaml.PairIf("body_size_limit", limits.BodySize);
        yaml.PairIf("sample_limit", limits.Samples);
        yaml.PairIf("target_limit", targetLimit ? limits.Targets : null);
        yaml.PairIf("label_limit", limits.Labels);
        yaml.PairIf("label_name_length_limit", limits.LabelNameLength);
        yaml.PairIf("label_value_length_limit", limits.LabelValueLength);
    }

    public static void Auth(YamlWriter yaml, AuthSettings? auth, SecretFiles secrets)
    {
        if (auth?.Bearer is { } bearer)
        {
            yaml.Begin("authorization").Pair("type", "Bearer").Pair("credentials_file", secrets.Path(bearer)).End();
        }

        if (auth?.Basic is { } basic)
        {
            yaml.Begin("basic_auth").Pair("username", basic.Username).Pair("password_file", secrets.Path(basic.Password)).End();
        }

        if (auth?.Oauth2 is { } oauth)
        {
            yaml.Begin("oauth2").Pair("client_id", oauth.ClientId).Pair("client_secret_file", secrets.Path(oauth.ClientSecret));
            if (oauth.Scopes is { Count: > 0 } scopes)
            {
                yaml.Flow("scopes", scopes);
            }

            yaml.Pair("token_url", oauth.TokenUrl);
            if (oauth.EndpointParams is { Count: > 0 } parameters)
            {
                yaml.Begin("endpoint_params");
                Sorted(yaml, parameters);
                yaml.End();
            }

            yaml.End();
        }
    }

    public static void Tls(YamlWriter yaml, TlsSettings? tls, SecretFiles secrets)
    {
        if (tls is null || tls == new TlsSettings())
        {
            return;
        }

        yaml.Begin("tls_config");
        yaml.PairIf("ca_file", tls.Ca is null ? null : secrets.Path(tls.Ca));
        yaml.PairIf("cert_file", tls.Cert is null ? null : secrets.Path(tls.Cert));
        yaml.PairIf("key_file", tls.Key is null ? null : secrets.Path(tls.Key));
        yaml.PairIf("server_name", tls.ServerName);
        yaml.PairIf("insecure_skip_verify", tls.InsecureSkipVerify == true ? true : null);
        yaml.End();
    }

    /// <summary>A list of relabelling steps; nothing when there are none.</summary>
    public static void Relabelings(YamlWriter yaml, string key, IReadOnlyList<Relabeling>? steps)
    {
        if (steps is not { Count: > 0 })
        {
            return;
        }

        yaml.Begin(key);
        foreach (Relabeling step in steps)
        {
            yaml.BeginItem();
            if (step.SourceLabels is { Count: > 0 } sources)
            {
                yaml.Flow("source_labels", sources);
            }

            yaml.PairIf("separator", step.Separator);
            yaml.PairIf("regex", step.Regex);
            yaml.PairIf("modulus", step.Modulus);
            yaml.PairIf("target_label", step.TargetLabel);
            yaml.PairIf("replacement", step.Replacement);
            yaml.Pair("action", CommonChecks.Name(step.Action ?? RelabelAction.Replace));
            yaml.EndItem();
        }

        yaml.End();
    }

    public static void Sorted(YamlWriter yaml, IEnumerable<KeyValuePair<string, string>> pairs)
    {
        foreach ((string key, string value) in pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            yaml.Pair(key, value);
        }
    }

    // The fields were renamed in 3.0; converting came in 3.0 as well.
    private static void Histograms(YamlWriter yaml, ScrapeSettings settings, PrometheusVersion version)
    {
        if (settings.ClassicHistograms is { } classic && version >= Versions.NativeHistograms)
        {
            yaml.Pair(version >= Versions.Three ? "always_scrape_classic_histograms" : "scrape_classic_histograms", classic);
        }

        if (settings.NativeHistograms is { } native && version >= Versions.Three)
        {
            yaml.Pair("convert_classic_histograms_to_nhcb", native);
        }
    }
}
