using System.Collections.Immutable;
using System.Text;
using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Templates;

/// <summary>A series in a template: what query() gives, one element each.</summary>
internal sealed record TemplateSample(IReadOnlyDictionary<string, string> Labels, object Value);

/// <summary>What a template of an alert can see: the series that fires, the server's labels and address, and other queries.</summary>
internal sealed record TemplateData
{
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> ExternalLabels { get; init; } = new Dictionary<string, string>();

    public string ExternalUrl { get; init; } = "";

    /// <summary>A float, or a native histogram.</summary>
    public object Value { get; init; } = 0.0;

    /// <summary>Evaluates a query at the alert's time; throws <see cref="TemplateExecutionException"/> when it cannot.</summary>
    public Func<string, IReadOnlyList<TemplateSample>> Query { get; init; } = _ => [];
}

/// <summary>The template asks for something that cannot be done with this data.</summary>
internal sealed class TemplateExecutionException(string message) : Exception(message);

/// <summary>
/// Executes a parsed template as Go's text/template does (https://pkg.go.dev/text/template) with the option missingkey=zero.
/// Values are .NET objects: string, double, long, bool, null (nil), dictionaries, lists, <see cref="TemplateSample"/>,
/// <see cref="FloatHistogram"/> and DateTimeOffset.
/// </summary>
internal sealed class TemplateExecution
{
    private const int MaxDepth = 100;

    private readonly TemplateData data;
    private readonly Template template;
    private readonly StringBuilder output = new();
    private readonly List<(string Name, object? Value)> variables;
    private int depth;

    private TemplateExecution(Template template, TemplateData data)
    {
        this.template = template;
        this.data = data;
        variables =
        [
            ("$", data), ("$labels", data.Labels), ("$externalLabels", data.ExternalLabels), ("$externalURL", data.ExternalUrl), ("$value", data.Value),
        ];
    }

    private enum Exit
    {
        None,
        Break,
        Continue,
    }

    public static string Run(Template template, TemplateData data)
    {
        var execution = new TemplateExecution(template, data);
        execution.List(template.Nodes, data);
        return execution.output.ToString();
    }

    private Exit List(ImmutableArray<TemplateNode> nodes, object? dot)
    {
        foreach (TemplateNode node in nodes)
        {
            Exit exit = Node(node, dot);
            if (exit != Exit.None)
            {
                return exit;
            }
        }
        return Exit.None;
    }

    private Exit Node(TemplateNode node, object? dot)
    {
        switch (node)
        {
            case TextNode text:
                output.Append(text.Text);
                return Exit.None;
            case ActionNode action:
                object? value = Evaluate(action.Pipeline, dot);
                if (action.Pipeline.Variables.IsEmpty)
                {
                    output.Append(TemplatePrinting.Print(value));
                }
                return Exit.None;
            case ControlNode { Kind: ControlKind.Range } range:
                return Scoped(() => Range(range, dot));
            case ControlNode control:
                return Scoped(() => Branch(control, dot));
            case CallTemplateNode call:
                Call(call, dot);
                return Exit.None;
            case LoopExitNode loop:
                return loop.IsContinue ? Exit.Continue : Exit.Break;
            default:
                throw new InvalidOperationException($"{node.GetType().Name} is no template node");
        }
    }

    private Exit Scoped(Func<Exit> body)
    {
        int before = variables.Count;
        Exit exit = body();
        variables.RemoveRange(before, variables.Count - before);
        return exit;
    }

    private Exit Branch(ControlNode control, object? dot)
    {
        object? value = Evaluate(control.Pipeline, dot);
        return TemplateFunctions.IsTrue(value)
            ? List(control.Body, control.Kind == ControlKind.With ? value : dot)
            : List(control.Else, dot);
    }

    private Exit Range(ControlNode range, object? dot)
    {
        object? collection = Evaluate(range.Pipeline with { Variables = [] }, dot);
        bool any = false;
        foreach ((object? key, object? item) in TemplateFunctions.Items(collection))
        {
            any = true;
            Exit exit = Scoped(() =>
            {
                ImmutableArray<string> names = range.Pipeline.Variables;
                if (names.Length > 0)
                {
                    Set(names[^1], item, range.Pipeline.Assigns);
                }
                if (names.Length > 1)
                {
                    Set(names[0], key, range.Pipeline.Assigns);
                }
                return List(range.Body, item);
            });
            if (exit == Exit.Break)
            {
                break;
            }
        }
        return any ? Exit.None : List(range.Else, dot);
    }

    private void Call(CallTemplateNode call, object? dot)
    {
        if (!template.Definitions.TryGetValue(call.Name, out ImmutableArray<TemplateNode> nodes))
        {
            throw new TemplateExecutionException($"template \"{call.Name}\" not defined");
        }
        if (++depth > MaxDepth)
        {
            throw new TemplateExecutionException("exceeded maximum template depth");
        }
        object? argument = call.Pipeline is null ? null : Evaluate(call.Pipeline, dot);
        // A called template sees its argument only, not the variables of the caller.
        List<(string, object?)> callers = [.. variables];
        variables.Clear();
        variables.Add(("$", argument));
        List(nodes, argument);
        variables.Clear();
        variables.AddRange(callers);
        depth--;
    }

    private object? Evaluate(Pipeline pipeline, object? dot)
    {
        object? value = null;
        for (int i = 0; i < pipeline.Commands.Length; i++)
        {
            value = Evaluate(pipeline.Commands[i], dot, i > 0, value);
        }
        foreach (string name in pipeline.Variables)
        {
            Set(name, value, pipeline.Assigns);
        }
        return value;
    }

    private void Set(string name, object? value, bool assigns)
    {
        int place = assigns ? variables.FindLastIndex(variable => variable.Name == name) : -1;
        if (place >= 0)
        {
            variables[place] = (name, value);
        }
        else
        {
            variables.Add((name, value));
        }
    }

    private object? Evaluate(Command command, object? dot, bool hasPiped, object? piped)
    {
        Operand first = command.Operands[0];
        bool hasArguments = command.Operands.Length > 1 || hasPiped;
        object?[] Arguments()
        {
            IEnumerable<object?> written = command.Operands.Skip(1).Select(operand => Value(operand, dot));
            return hasPiped ? [.. written, piped] : [.. written];
        }

        switch (first)
        {
            case FunctionOperand { Name: "and" or "or" } logic:
                return Logic(logic.Name == "and", command, dot, hasPiped, piped);
            case FunctionOperand function:
                return TemplateFunctions.Call(function.Name, Arguments(), data);
            case FieldOperand or VariableOperand { Fields.Length: > 0 } or ChainOperand:
                (object? source, ImmutableArray<string> fields) = Source(first, dot);
                object? receiver = fields.SkipLast(1).Aggregate(source, TemplateFunctions.Field);
                return hasArguments ? TemplateFunctions.Method(receiver, fields[^1], Arguments()) : TemplateFunctions.Field(receiver, fields[^1]);
            default:
                return hasArguments ? throw new TemplateExecutionException("can't give argument to non-function") : Value(first, dot);
        }
    }

    /// <summary>and / or stop at the first argument that decides.</summary>
    private object? Logic(bool isAnd, Command command, object? dot, bool hasPiped, object? piped)
    {
        object? value = null;
        for (int i = 1; i < command.Operands.Length + (hasPiped ? 1 : 0); i++)
        {
            value = i < command.Operands.Length ? Value(command.Operands[i], dot) : piped;
            if (TemplateFunctions.IsTrue(value) != isAnd)
            {
                return value;
            }
        }
        return value;
    }

    private (object? Source, ImmutableArray<string> Fields) Source(Operand operand, object? dot) => operand switch
    {
        FieldOperand field => (dot, field.Fields),
        VariableOperand variable => (Variable(variable.Name), variable.Fields),
        ChainOperand chain => (Value(chain.Source, dot), chain.Fields),
        _ => throw new InvalidOperationException($"{operand.GetType().Name} has no fields"),
    };

    private object? Value(Operand operand, object? dot)
    {
        switch (operand)
        {
            case DotOperand:
                return dot;
            case NilOperand:
                return null;
            case BoolOperand boolean:
                return boolean.Value;
            case StringOperand text:
                return text.Value;
            case NumberOperand number:
                bool isFloat = LooksLikeFloat(number.Text) || number.Value != Math.Floor(number.Value);
                return isFloat ? number.Value : (object)(long)number.Value;
            case FunctionOperand function:
                return TemplateFunctions.Call(function.Name, [], data);
            case VariableOperand { Fields.Length: 0 } variable:
                return Variable(variable.Name);
            case ParenOperand paren:
                return Evaluate(paren.Pipeline, dot);
            default:
                (object? source, ImmutableArray<string> fields) = Source(operand, dot);
                return fields.Aggregate(source, TemplateFunctions.Field);
        }
    }

    /// <summary>Go goes by how a number is written: 1.0 and 1e3 are floats, 0x1e3 and 'e' are not.</summary>
    private static bool LooksLikeFloat(string text)
    {
        bool isHex = text.TrimStart('+', '-').StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return text[0] != '\'' && (isHex ? text.AsSpan().ContainsAny('p', 'P') : text.AsSpan().ContainsAny('.', 'e', 'E'));
    }

    private object? Variable(string name)
    {
        int place = variables.FindLastIndex(variable => variable.Name == name);
        return place >= 0 ? variables[place].Value : throw new TemplateExecutionException($"undefined variable: {name}");
    }
}
