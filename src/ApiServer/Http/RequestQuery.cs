using Microsoft.AspNetCore.Http;

namespace OptiInfra.ApiServer.Http;

/// <summary>The query of a request, by name; parameters that occur more than once keep all values.</summary>
internal sealed class RequestQuery(IQueryCollection query)
{
    public string? Text(string name) => query.TryGetValue(name, out var values) ? values[0] : null;

    public string[] All(string name) => query.TryGetValue(name, out var values) ? [.. values.Select(value => value ?? "")] : [];

    public bool Has(string name) => query.ContainsKey(name);

    /// <summary>A whole number; what is none is answered with 400.</summary>
    public long? Number(string name)
    {
        string? text = Text(name);
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return long.TryParse(text, out long number)
            ? number
            : throw ApiError.BadRequest($"strconv.ParseInt: parsing {Verbs.MetadataRules.Quote(text)}: invalid syntax");
    }

    /// <summary>True unless absent or written as false: the real server reads <c>watch=maybe</c> and <c>watch=</c> as true.</summary>
    public bool Flag(string name) => Text(name) is { } text && text is not ("false" or "0" or "False" or "FALSE" or "f" or "F");
}
