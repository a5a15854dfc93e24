using System.Collections.Immutable;

namespace OptiInfra.PromQL.Templates;

/// <summary>A piece of a template; <paramref name="Offset"/> is its place in characters.</summary>
public abstract record TemplateNode(int Offset);

public sealed record TextNode(int Offset, string Text) : TemplateNode(Offset);

/// <summary><c>{{ pipeline }}</c>: printed, unless it declares or assigns.</summary>
public sealed record ActionNode(int Offset, Pipeline Pipeline) : TemplateNode(Offset);

public enum ControlKind
{
    If,
    Range,
    With,
}

public sealed record ControlNode(
    int Offset, ControlKind Kind, Pipeline Pipeline, ImmutableArray<TemplateNode> Body, ImmutableArray<TemplateNode> Else) : TemplateNode(Offset);

/// <summary><c>{{break}}</c> or <c>{{continue}}</c>.</summary>
public sealed record LoopExitNode(int Offset, bool IsContinue) : TemplateNode(Offset);

/// <summary><c>{{template "name" pipeline}}</c>, and the call that <c>{{block}}</c> is.</summary>
public sealed record CallTemplateNode(int Offset, string Name, Pipeline? Pipeline) : TemplateNode(Offset);

/// <summary><c>$x := command | command</c>; <see cref="Assigns"/> for "=" instead of ":=".</summary>
public sealed record Pipeline(int Offset, ImmutableArray<string> Variables, bool Assigns, ImmutableArray<Command> Commands);

/// <summary>Operands separated by spaces: a value, or a function with its arguments.</summary>
public sealed record Command(int Offset, ImmutableArray<Operand> Operands);

public abstract record Operand(int Offset);

public sealed record DotOperand(int Offset) : Operand(Offset);

public sealed record NilOperand(int Offset) : Operand(Offset);

public sealed record BoolOperand(int Offset, bool Value) : Operand(Offset);

/// <summary>A number or character constant as written; character constants carry their code point.</summary>
public sealed record NumberOperand(int Offset, string Text, double Value, bool IsInteger) : Operand(Offset);

public sealed record StringOperand(int Offset, string Value) : Operand(Offset);

/// <summary><c>.Labels.job</c>: fields of the current value.</summary>
public sealed record FieldOperand(int Offset, ImmutableArray<string> Fields) : Operand(Offset);

/// <summary><c>$labels.job</c>; the name keeps its dollar sign.</summary>
public sealed record VariableOperand(int Offset, string Name, ImmutableArray<string> Fields) : Operand(Offset);

public sealed record FunctionOperand(int Offset, string Name) : Operand(Offset);

/// <summary><c>(pipeline)</c>, perhaps with fields of its result.</summary>
public sealed record ParenOperand(int Offset, Pipeline Pipeline) : Operand(Offset);

/// <summary>Fields of a function's or parenthesised pipeline's result.</summary>
public sealed record ChainOperand(int Offset, Operand Source, ImmutableArray<string> Fields) : Operand(Offset);

/// <summary>A parsed template with the templates it defines.</summary>
public sealed record Template(ImmutableArray<TemplateNode> Nodes, ImmutableDictionary<string, ImmutableArray<TemplateNode>> Definitions)
{
    /// <summary>Every operand anywhere in it.</summary>
    public IEnumerable<Operand> Operands() =>
        Nodes.Concat(Definitions.Values.SelectMany(nodes => nodes)).SelectMany(InNode);

    private static IEnumerable<Operand> InNode(TemplateNode node) => node switch
    {
        ActionNode action => InPipeline(action.Pipeline),
        ControlNode control => InPipeline(control.Pipeline).Concat(control.Body.Concat(control.Else).SelectMany(InNode)),
        CallTemplateNode { Pipeline: not null } call => InPipeline(call.Pipeline),
        _ => [],
    };

    private static IEnumerable<Operand> InPipeline(Pipeline pipeline) =>
        pipeline.Commands.SelectMany(command => command.Operands).SelectMany(InOperand);

    private static IEnumerable<Operand> InOperand(Operand operand) => operand switch
    {
        ParenOperand paren => InPipeline(paren.Pipeline).Prepend(operand),
        ChainOperand chain => InOperand(chain.Source).Prepend(operand),
        _ => [operand],
    };
}
