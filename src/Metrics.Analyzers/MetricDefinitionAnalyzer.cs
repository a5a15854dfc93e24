using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace OptiInfra.Metrics.Analyzers;

/// <summary>
/// Looks at the calls that create metric families and says at compile time what the registry would refuse at start-up:
/// labels without bound, illegal names, missing help. Only constants are judged; what is computed is left to the registry.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MetricDefinitionAnalyzer : DiagnosticAnalyzer
{
    internal static readonly DiagnosticDescriptor ForbiddenLabel = new(
        "OIM001",
        "Label without bound",
        "Label '{0}' of metric '{1}' has no bound or identifies a person: put it into a log or an exemplar, or name it in PermittedLabels",
        "OptiInfra.Metrics",
        DiagnosticSeverity.Error,
        isEnabledByDefault: true);

    internal static readonly DiagnosticDescriptor IllegalName = new(
        "OIM002",
        "Illegal name",
        "'{0}' cannot be the name of a metric or a label: use letters, digits and underscores, and begin with a letter",
        "OptiInfra.Metrics",
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true);

    internal static readonly DiagnosticDescriptor MissingHelp = new(
        "OIM003",
        "Metric without help",
        "Metric '{0}' has no help text: say in one sentence what it measures",
        "OptiInfra.Metrics",
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true);

    /// <summary>The same list as in MetricNames of the library, which a test compares. A trailing star forbids the prefix.</summary>
    internal static readonly ImmutableArray<string> ForbiddenLabels = ImmutableArray.Create(
        "user*", "session*", "conversation*", "request_id", "trace_id", "span_id", "correlation_id", "prompt", "message",
        "email", "ip", "client_ip", "path", "raw_path", "url", "uri", "tenant", "tenant_id");

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(ForbiddenLabel, IllegalName, MissingHelp);

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(Analyze, OperationKind.Invocation);
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;
        if (!call.TargetMethod.Name.StartsWith("Create", StringComparison.Ordinal) || call.TargetMethod.ContainingType.ToDisplayString() != "OptiInfra.Metrics.MetricRegistry")
        {
            return;
        }

        string metric = Constant(call, "name") ?? "?";
        if (metric != "?" && !IsLegal(metric, allowColon: true))
        {
            context.ReportDiagnostic(Diagnostic.Create(IllegalName, Place(call, "name"), metric));
        }

        if (Constant(call, "help") is { } help && help.Trim().Length == 0)
        {
            context.ReportDiagnostic(Diagnostic.Create(MissingHelp, Place(call, "help"), metric));
        }

        bool decided = Argument(call, "options")?.Value.Syntax.ToString().Contains("PermittedLabels") == true;
        foreach (IOperation label in Labels(call))
        {
            if (label.ConstantValue.Value is not string text)
            {
                continue;
            }

            if (!IsLegal(text, allowColon: false))
            {
                context.ReportDiagnostic(Diagnostic.Create(IllegalName, label.Syntax.GetLocation(), text));
            }
            else if (!decided && ForbiddenLabels.Any(rule => rule.EndsWith("*", StringComparison.Ordinal) ? text.StartsWith(rule.TrimEnd('*'), StringComparison.Ordinal) : text == rule))
            {
                context.ReportDiagnostic(Diagnostic.Create(ForbiddenLabel, label.Syntax.GetLocation(), text, metric));
            }
        }
    }

    /// <summary>The label names, written one by one or as an array.</summary>
    private static IEnumerable<IOperation> Labels(IInvocationOperation call) => Argument(call, "labelNames")?.Value switch
    {
        IArrayCreationOperation { Initializer: { } initializer } => initializer.ElementValues.Select(Unwrap),
        IConversionOperation { Operand: IArrayCreationOperation { Initializer: { } initializer } } => initializer.ElementValues.Select(Unwrap),
        _ => [],
    };

    private static IOperation Unwrap(IOperation value) => value is IConversionOperation conversion ? conversion.Operand : value;

    private static IArgumentOperation? Argument(IInvocationOperation call, string name) => call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == name);

    private static string? Constant(IInvocationOperation call, string name) => Argument(call, name)?.Value.ConstantValue is { HasValue: true, Value: string text } ? text : null;

    private static Location Place(IInvocationOperation call, string name) => Argument(call, name)!.Value.Syntax.GetLocation();

    private static bool IsLegal(string name, bool allowColon) =>
        name.Length > 0 && (name[0] is '_' || IsLetter(name[0]) || (allowColon && name[0] == ':'))
        && name.All(character => character == '_' || IsLetter(character) || character is >= '0' and <= '9' || (allowColon && character == ':'));

    private static bool IsLetter(char character) => character is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z');
}
