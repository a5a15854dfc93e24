using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Compile;

/// <summary>Gathers what is wrong with one resource.</summary>
internal sealed class Report(string source)
{
    private readonly List<Diagnostic> _diagnostics = [];

    public IReadOnlyList<Diagnostic> Diagnostics => _diagnostics;

    public bool HasErrors { get; private set; }

    public string Source => source;

    public void Error(string id, string field, string message, string? hint = null) =>
        Add(new Diagnostic(id, Severity.Error, message) { Field = field, Hint = hint });

    public void Warning(string id, string field, string message, string? hint = null) =>
        Add(new Diagnostic(id, Severity.Warning, message) { Field = field, Hint = hint });

    public void Add(Diagnostic diagnostic)
    {
        _diagnostics.Add(diagnostic.Source is null ? diagnostic with { Source = source } : diagnostic);
        HasErrors |= diagnostic.IsError;
    }
}
