using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>What an Event has to satisfy: it lives in the namespace of what it is about, and a new-style one says who reports what.</summary>
internal static class EventValidation
{
    public static IReadOnlyList<FieldError> Core(JsonObject value) => [.. Namespace(value, "involvedObject")];

    public static IReadOnlyList<FieldError> New(JsonObject value)
    {
        List<FieldError> errors = [.. Namespace(value, "regarding")];
        if (value["eventTime"] is null)
        {
            errors.Add(FieldError.Required("eventTime"));
            return errors;
        }

        foreach (string field in (string[])["reportingController", "reportingInstance", "action", "reason"])
        {
            if (string.IsNullOrEmpty(value.Text(field)))
            {
                errors.Add(FieldError.Required(field));
            }
        }

        if (value.Text("type") is not ("Normal" or "Warning"))
        {
            errors.Add(FieldError.Invalid("type", "\"\"", $"has invalid value: {value.Text("type")}"));
        }

        return errors;
    }

    private static IEnumerable<FieldError> Namespace(JsonObject value, string about)
    {
        string ns = value.SubOrNew("metadata").Text("namespace");
        string its = value.SubOrNew(about).Text("namespace");
        if (its.Length == 0 ? ns is not ("" or "default" or "kube-system") : its != ns)
        {
            yield return FieldError.Invalid("involvedObject.namespace", Json.Quote(its), "does not match event.namespace");
        }
    }
}
