using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace OptiInfra.Metrics.AspNetCore;

/// <summary>
/// <c>/openapi.json</c>, made from the routes the application really has, and <c>/docs</c>, one page without any outside resource
/// that shows it and can call it. <c>/redoc</c> leads there too.
/// </summary>
internal static class OpenApiPages
{
    private const string ContentSecurity = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/openapi.json", (RequestDelegate)DocumentAsync).WithDisplayName("This document");
        endpoints.MapGet("/docs", (RequestDelegate)PageAsync).WithDisplayName("The service's API");
        endpoints.MapGet("/redoc", context =>
        {
            context.Response.Redirect("docs");
            return Task.CompletedTask;
        }).ExcludeFromDescription();
    }

    private static async Task PageAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = ContentSecurity;
        await using Stream page = typeof(OpenApiPages).Assembly.GetManifestResourceStream("OptiInfra.Metrics.docs.html")
            ?? throw new InvalidOperationException("docs.html is not embedded in the assembly");
        await page.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static Task DocumentAsync(HttpContext context)
    {
        OptiMetricsOptions options = context.RequestServices.GetRequiredService<OptiMetricsOptions>();
        EndpointDataSource routes = context.RequestServices.GetRequiredService<EndpointDataSource>();
        return StatusPages.WriteAsync(context, json =>
        {
            json.WriteString("openapi", "3.1.0");
            json.WriteStartObject("info");
            json.WriteString("title", options.Service);
            json.WriteString("version", options.Version);
            json.WriteEndObject();
            json.WriteStartObject("paths");
            var documented = routes.Endpoints.OfType<RouteEndpoint>().Where(route => route.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null);
            foreach (IGrouping<string, RouteEndpoint> path in documented.GroupBy(PathOf).OrderBy(path => path.Key, StringComparer.Ordinal))
            {
                json.WriteStartObject(path.Key);
                WriteOperations(json, path);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        });
    }

    private static void WriteOperations(Utf8JsonWriter json, IEnumerable<RouteEndpoint> routes)
    {
        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (RouteEndpoint route in routes)
        {
            foreach (string method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                if (written.Add(method))
                {
                    WriteOperation(json, method.ToLowerInvariant(), route);
                }
            }
        }
    }

    private static void WriteOperation(Utf8JsonWriter json, string method, RouteEndpoint route)
    {
        json.WriteStartObject(method);
        json.WriteString("summary", route.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary ?? route.DisplayName ?? "");
        if (route.Metadata.GetMetadata<IEndpointDescriptionMetadata>()?.Description is { } description)
        {
            json.WriteString("description", description);
        }

        if (route.RoutePattern.Parameters.Count > 0)
        {
            json.WriteStartArray("parameters");
            foreach (Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter in route.RoutePattern.Parameters)
            {
                json.WriteStartObject();
                json.WriteString("name", parameter.Name);
                json.WriteString("in", "path");
                json.WriteBoolean("required", true);
                json.WriteStartObject("schema");
                json.WriteString("type", "string");
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteStartObject("responses");
        json.WriteStartObject("200");
        json.WriteString("description", "Success");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The template with bare parameter names, as OpenAPI writes them: constraints and defaults are left out.</summary>
    private static string PathOf(RouteEndpoint route) => "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
    {
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator => separator.Content,
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
        _ => "",
    }))));
}
