using System.Globalization;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Input;

/// <summary>Objects beside our resources that answer what a cluster would: files in ConfigMaps, and the port numbers of Services.</summary>
public sealed class Companions
{
    private readonly Dictionary<(string Namespace, string Name), YamlMapping> _configMaps = [];
    private readonly Dictionary<(string Namespace, string Service, string Port), int> _ports = [];

    /// <summary>The text under a key of a ConfigMap, when it was given.</summary>
    public string? File(string ns, string configMap, string key) =>
        _configMaps.TryGetValue((ns, configMap), out YamlMapping? data) && data.Find(key) is YamlScalar text ? text.Value : null;

    /// <summary>The number of a Service's named port, as its Pods listen on it, when the Service was given.</summary>
    public int? Port(string ns, string service, string port) => _ports.TryGetValue((ns, service, port), out int number) ? number : null;

    /// <summary>Keeps an object that helps; false for all others.</summary>
    internal bool Take(YamlMapping resource, string kind)
    {
        if (resource.Find("metadata") is not YamlMapping metadata || metadata.Find("name") is not YamlScalar name)
        {
            return false;
        }

        string ns = (metadata.Find("namespace") as YamlScalar)?.Value ?? "default";
        switch (kind)
        {
            case "ConfigMap" when resource.Find("data") is YamlMapping data:
                _configMaps[(ns, name.Value)] = data;
                return true;
            case "Service" when (resource.Find("spec") as YamlMapping)?.Find("ports") is YamlSequence ports:
                foreach (YamlMapping port in ports.Items.OfType<YamlMapping>())
                {
                    Take(port, ns, name.Value);
                }

                return true;
            default:
                return false;
        }
    }

    private void Take(YamlMapping port, string ns, string service)
    {
        // The target port is what the container listens on; without one it is the Service's own.
        string? number = new[] { port.Find("targetPort"), port.Find("port") }.OfType<YamlScalar>().Select(scalar => scalar.Value).FirstOrDefault(value => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (port.Find("name") is YamlScalar name && number is not null)
        {
            _ports[(ns, service, name.Value)] = int.Parse(number, CultureInfo.InvariantCulture);
        }
    }
}
