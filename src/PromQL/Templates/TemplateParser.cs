using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Templates;

/// <summary>What is wrong with a template, and at which character; at most one, as in Go.</summary>
public sealed record TemplateError(int Offset, string Message);

/// <summary>
/// Parses Go's text/template (https://pkg.go.dev/text/template) as it is used in the labels and annotations of alerts, with the
/// functions and variables that Prometheus of the given release defines there. Nothing is executed; the tree is for
/// the linter and for the rule tests.
/// </summary>
public sealed class TemplateParser
{
    private const int MaxDepth = 200;

    private static readonly FrozenSet<string> AlertVariables =
        FrozenSet.ToFrozenSet(["$", "$labels", "$externalLabels", "$externalURL", "$value"], StringComparer.Ordinal);

    private static readonly FrozenSet<string> KnownFunctions = (
        "and or not len index slice print printf println html js call urlquery eq ne lt le gt ge "
        + "query first label value strvalue args reReplaceAll safeHtml match title toUpper toLower graphLink tableLink sortByLabel "
        + "stripPort stripDomain humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp toTime pathPrefix "
        + "externalURL parseDuration").Split(' ').ToFrozenSet(StringComparer.Ordinal);

    private readonly TemplateLexer lexer;
    private readonly PrometheusVersion version;
    private readonly Stack<TemplateToken> pushedBack = new();
    private readonly ImmutableDictionary<string, ImmutableArray<TemplateNode>>.Builder definitions =
        ImmutableDictionary.CreateBuilder<string, ImmutableArray<TemplateNode>>();

    private List<string> variables = [.. AlertVariables];
    private int rangeDepth;
    private int depth;

    private TemplateParser(string text, PrometheusVersion version)
    {
        lexer = new TemplateLexer(text);
        this.version = version;
    }

    /// <summary>Parses an alert's template; exactly one of the results is null.</summary>
    public static (Template? Template, TemplateError? Error) Parse(string text, PrometheusVersion version)
    {
        if (!text.Contains("{{", StringComparison.Ordinal))
        {
            return (new Template([new TextNode(0, text)], ImmutableDictionary<string, ImmutableArray<TemplateNode>>.Empty), null);
        }
        try
        {
            var parser = new TemplateParser(text, version);
            ImmutableArray<TemplateNode> nodes = parser.List(topLevel: true, out _);
            return (new Template(nodes, parser.definitions.ToImmutable()), null);
        }
        catch (TemplateException e)
        {
            return (null, new TemplateError(e.Offset, e.Message));
        }
    }

    /// <summary>Whether a function exists in the templates of that release.</summary>
    public static bool IsFunction(string name, PrometheusVersion version) => KnownFunctions.Contains(name)
        || (name is "toDuration" or "now" && version >= new PrometheusVersion(3, 6))
        || (name is "urlQueryEscape" && version >= new PrometheusVersion(3, 7));

    private enum ListEnd
    {
        Text,
        End,
        Else,
    }

    /// <summary>Nodes up to the end of the text, <c>{{end}}</c> or <c>{{else</c>, whose first word has then been read.</summary>
    private ImmutableArray<TemplateNode> List(bool topLevel, out ListEnd end)
    {
        if (++depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new TemplateException(0, "the template is nested too deeply");
        }
        var nodes = ImmutableArray.CreateBuilder<TemplateNode>();
        while (true)
        {
            TemplateToken token = Next();
            switch (token.Kind)
            {
                case TemplateTokenKind.End:
                    if (!topLevel)
                    {
                        throw new TemplateException(token.Offset, "unexpected EOF");
                    }
                    depth--;
                    end = ListEnd.Text;
                    return nodes.DrainToImmutable();
                case TemplateTokenKind.Text:
                    nodes.Add(new TextNode(token.Offset, token.Text));
                    continue;
            }
            TemplateToken word = NextNonSpace();
            if (word is { Kind: TemplateTokenKind.Word, Text: "end" or "else" })
            {
                if (word.Text == "end")
                {
                    Expect(TemplateTokenKind.RightDelimiter, "end");
                }
                if (topLevel)
                {
                    throw new TemplateException(word.Offset, $"unexpected {{{{{word.Text}}}}}");
                }
                depth--;
                end = word.Text == "end" ? ListEnd.End : ListEnd.Else;
                return nodes.DrainToImmutable();
            }
            if (Action(word, topLevel) is { } node)
            {
                nodes.Add(node);
            }
        }
    }

    private TemplateNode? Action(TemplateToken word, bool topLevel)
    {
        if (word.Kind == TemplateTokenKind.Word)
        {
            switch (word.Text)
            {
                case "if":
                    return Control(word.Offset, ControlKind.If);
                case "range":
                    return Control(word.Offset, ControlKind.Range);
                case "with":
                    return Control(word.Offset, ControlKind.With);
                case "break" or "continue":
                    Expect(TemplateTokenKind.RightDelimiter, $"{{{{{word.Text}}}}}");
                    return rangeDepth > 0
                        ? new LoopExitNode(word.Offset, word.Text == "continue")
                        : throw new TemplateException(word.Offset, $"{{{{{word.Text}}}}} outside {{{{range}}}}");
                case "template":
                    string name = TemplateName("template clause");
                    return new CallTemplateNode(word.Offset, name, OptionalPipeline("template clause"));
                case "block":
                    return Block(word);
                case "define" when topLevel:
                    string defined = TemplateName("define clause");
                    Expect(TemplateTokenKind.RightDelimiter, "define clause");
                    Define(defined, word.Offset);
                    return null;
            }
        }
        PushBack(word);
        return new ActionNode(word.Offset, PipelineUntil(TemplateTokenKind.RightDelimiter, "command", isRange: false));
    }

    private CallTemplateNode Block(TemplateToken word)
    {
        string name = TemplateName("block clause");
        Pipeline pipeline = PipelineUntil(TemplateTokenKind.RightDelimiter, "block clause", isRange: false);
        Define(name, word.Offset);
        return new CallTemplateNode(word.Offset, name, pipeline);
    }

    /// <summary>The body of a definition is a world of its own: it sees only "$", and no range around it.</summary>
    private void Define(string name, int offset)
    {
        (List<string> outerVariables, int outerRange) = (variables, rangeDepth);
        (variables, rangeDepth) = (["$"], 0);
        ImmutableArray<TemplateNode> body = List(topLevel: false, out ListEnd end);
        if (end != ListEnd.End)
        {
            throw new TemplateException(offset, "unexpected {{else}} in define clause");
        }
        (variables, rangeDepth) = (outerVariables, outerRange);
        if (definitions.TryGetValue(name, out ImmutableArray<TemplateNode> earlier) && !IsBlank(earlier) && !IsBlank(body))
        {
            throw new TemplateException(offset, $"multiple definition of template \"{name}\"");
        }
        definitions[name] = IsBlank(body) && !earlier.IsDefault ? earlier : body;
    }

    private static bool IsBlank(ImmutableArray<TemplateNode> nodes) => nodes.All(node => node is TextNode text && string.IsNullOrWhiteSpace(text.Text));

    private string TemplateName(string context)
    {
        TemplateToken token = NextNonSpace();
        return token.Kind == TemplateTokenKind.Quoted
            ? TemplateLexer.Unquote(token.Text) ?? throw new TemplateException(token.Offset, "invalid syntax")
            : throw Unexpected(token, context);
    }

    private Pipeline? OptionalPipeline(string context)
    {
        TemplateToken token = NextNonSpace();
        if (token.Kind == TemplateTokenKind.RightDelimiter)
        {
            return null;
        }
        PushBack(token);
        return PipelineUntil(TemplateTokenKind.RightDelimiter, context, isRange: false);
    }

    private ControlNode Control(int offset, ControlKind kind)
    {
        int outer = variables.Count;
        string context = kind.ToString().ToLowerInvariant();
        Pipeline pipeline = PipelineUntil(TemplateTokenKind.RightDelimiter, context, kind == ControlKind.Range);
        rangeDepth += kind == ControlKind.Range ? 1 : 0;
        ImmutableArray<TemplateNode> body = List(topLevel: false, out ListEnd end);
        rangeDepth -= kind == ControlKind.Range ? 1 : 0;
        ImmutableArray<TemplateNode> otherwise = [];
        if (end == ListEnd.Else)
        {
            otherwise = Else(kind);
        }
        variables.RemoveRange(outer, variables.Count - outer);
        return new ControlNode(offset, kind, pipeline, body, otherwise);
    }

    private ImmutableArray<TemplateNode> Else(ControlKind kind)
    {
        TemplateToken token = NextNonSpace();
        bool chained = token.Kind == TemplateTokenKind.Word
            && ((kind == ControlKind.If && token.Text == "if") || (kind == ControlKind.With && token.Text == "with"));
        if (chained)
        {
            // {{else if}} shares the {{end}} of the outer one.
            if (++depth > MaxDepth)
            {
                throw new TemplateException(token.Offset, "the template is nested too deeply");
            }
            ControlNode inner = Control(token.Offset, kind);
            depth--;
            return [inner];
        }
        if (token.Kind != TemplateTokenKind.RightDelimiter)
        {
            throw Unexpected(token, "else");
        }
        ImmutableArray<TemplateNode> otherwise = List(topLevel: false, out ListEnd end);
        return end == ListEnd.End ? otherwise : throw new TemplateException(token.Offset, "expected end; found {{else}}");
    }

    // ---- Pipelines.

    private Pipeline PipelineUntil(TemplateTokenKind end, string context, bool isRange)
    {
        if (++depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new TemplateException(0, "the template is nested too deeply");
        }
        TemplateToken first = NextNonSpace();
        PushBack(first);
        var declared = ImmutableArray.CreateBuilder<string>(0);
        bool assigns = Declarations(declared, context, isRange);
        var commands = ImmutableArray.CreateBuilder<Command>(1);
        while (true)
        {
            TemplateToken token = NextNonSpace();
            if (token.Kind == end)
            {
                break;
            }
            if (!StartsOperand(token.Kind))
            {
                throw Unexpected(token, context);
            }
            PushBack(token);
            commands.Add(CommandHere());
        }
        if (commands.Count == 0)
        {
            throw new TemplateException(first.Offset, $"missing value for {context}");
        }
        for (int i = 1; i < commands.Count; i++)
        {
            if (commands[i].Operands[0] is BoolOperand or DotOperand or NilOperand or NumberOperand or StringOperand)
            {
                throw new TemplateException(commands[i].Offset, $"non executable command in pipeline stage {i + 1}");
            }
        }
        depth--;
        return new Pipeline(first.Offset, declared.DrainToImmutable(), assigns, commands.DrainToImmutable());
    }

    /// <summary>Reads <c>$x :=</c>, <c>$x =</c> and, in a range, <c>$i, $x :=</c>. Any other use of a variable is pushed back.</summary>
    private bool Declarations(ImmutableArray<string>.Builder declared, string context, bool isRange)
    {
        while (true)
        {
            TemplateToken variable = NextNonSpace();
            if (variable.Kind != TemplateTokenKind.Variable)
            {
                PushBack(variable);
                return false;
            }
            TemplateToken after = Next();
            TemplateToken next = after.Kind == TemplateTokenKind.Space ? NextNonSpace() : after;
            switch (next.Kind)
            {
                case TemplateTokenKind.Assign or TemplateTokenKind.Declare:
                    declared.Add(variable.Text);
                    variables.Add(variable.Text);
                    return next.Kind == TemplateTokenKind.Assign;
                case TemplateTokenKind.Comma:
                    declared.Add(variable.Text);
                    variables.Add(variable.Text);
                    if (!isRange || declared.Count >= 2)
                    {
                        throw new TemplateException(variable.Offset, $"too many declarations in {context}");
                    }
                    TemplateToken second = NextNonSpace();
                    PushBack(second);
                    if (second.Kind is not (TemplateTokenKind.Variable or TemplateTokenKind.RightDelimiter or TemplateTokenKind.RightParen))
                    {
                        throw new TemplateException(second.Offset, "range can only initialize variables");
                    }
                    continue;
                default:
                    PushBack(next);
                    if (after.Kind == TemplateTokenKind.Space)
                    {
                        PushBack(after);
                    }
                    PushBack(variable);
                    return false;
            }
        }
    }

    private static bool StartsOperand(TemplateTokenKind kind) => kind is TemplateTokenKind.Word or TemplateTokenKind.Field or TemplateTokenKind.Dot
        or TemplateTokenKind.Variable or TemplateTokenKind.Quoted or TemplateTokenKind.Character or TemplateTokenKind.Number or TemplateTokenKind.LeftParen;

    private Command CommandHere()
    {
        var operands = ImmutableArray.CreateBuilder<Operand>(2);
        TemplateToken first = NextNonSpace();
        PushBack(first);
        while (true)
        {
            TemplateToken start = NextNonSpace();
            if (StartsOperand(start.Kind))
            {
                operands.Add(OperandFrom(start));
            }
            else
            {
                PushBack(start);
            }
            TemplateToken token = Next();
            switch (token.Kind)
            {
                case TemplateTokenKind.Space:
                    continue;
                case TemplateTokenKind.RightDelimiter or TemplateTokenKind.RightParen:
                    PushBack(token);
                    break;
                case TemplateTokenKind.Pipe:
                    break;
                default:
                    throw Unexpected(token, "operand");
            }
            return operands.Count > 0
                ? new Command(first.Offset, operands.DrainToImmutable())
                : throw new TemplateException(first.Offset, "empty command");
        }
    }

    private Operand OperandFrom(TemplateToken start)
    {
        Operand operand = Term(start);
        var fields = ImmutableArray.CreateBuilder<string>(0);
        TemplateToken token = Next();
        while (token.Kind == TemplateTokenKind.Field)
        {
            fields.Add(token.Text[1..]);
            token = Next();
        }
        PushBack(token);
        return fields.Count == 0 ? operand : operand switch
        {
            FieldOperand field => field with { Fields = field.Fields.AddRange(fields) },
            VariableOperand variable => variable with { Fields = variable.Fields.AddRange(fields) },
            FunctionOperand or ParenOperand => new ChainOperand(start.Offset, operand, fields.DrainToImmutable()),
            _ => throw new TemplateException(start.Offset, $"unexpected . after term \"{start.Text}\""),
        };
    }

    private Operand Term(TemplateToken token)
    {
        switch (token.Kind)
        {
            case TemplateTokenKind.Dot:
                return new DotOperand(token.Offset);
            case TemplateTokenKind.Field:
                return new FieldOperand(token.Offset, [token.Text[1..]]);
            case TemplateTokenKind.Variable:
                return variables.Contains(token.Text)
                    ? new VariableOperand(token.Offset, token.Text, [])
                    : throw new TemplateException(token.Offset, $"undefined variable \"{token.Text}\"");
            case TemplateTokenKind.Quoted:
                return TemplateLexer.Unquote(token.Text) is { } text
                    ? new StringOperand(token.Offset, text)
                    : throw new TemplateException(token.Offset, "invalid syntax");
            case TemplateTokenKind.Character:
                return TemplateLexer.Unquote(token.Text) is { Length: > 0 } character && character.EnumerateRunes().Count() == 1
                    ? new NumberOperand(token.Offset, token.Text, character.EnumerateRunes().First().Value, IsInteger: true)
                    : throw new TemplateException(token.Offset, $"malformed character constant: {token.Text}");
            case TemplateTokenKind.Number:
                return Number(token);
            case TemplateTokenKind.LeftParen:
                return new ParenOperand(token.Offset, PipelineUntil(TemplateTokenKind.RightParen, "parenthesized pipeline", isRange: false));
            default:
                return WordTerm(token);
        }
    }

    private Operand WordTerm(TemplateToken token) => token.Text switch
    {
        "true" or "false" => new BoolOperand(token.Offset, token.Text == "true"),
        "nil" => new NilOperand(token.Offset),
        "if" or "else" or "end" or "range" or "with" or "template" or "block" or "define" or "break" or "continue" => throw Unexpected(token, "command"),
        _ when IsFunction(token.Text, version) => new FunctionOperand(token.Offset, token.Text),
        _ => throw new TemplateException(token.Offset, $"function \"{token.Text}\" not defined"),
    };

    private static NumberOperand Number(TemplateToken token)
    {
        string digits = token.Text.Replace("_", "", StringComparison.Ordinal).TrimEnd('i');
        bool negative = digits.StartsWith('-');
        string unsigned = digits.TrimStart('+', '-');
        double? value = unsigned.Length > 1 && unsigned[0] == '0' && char.IsAsciiLetter(unsigned[1]) && unsigned[1] is not ('e' or 'E')
            ? Prefixed(unsigned)
            : double.TryParse(unsigned, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double plain) && double.IsFinite(plain)
                ? plain
                : null;
        if (value is not { } number)
        {
            throw new TemplateException(token.Offset, $"illegal number syntax: \"{token.Text}\"");
        }
        return new NumberOperand(token.Offset, token.Text, negative ? -number : number, !unsigned.AsSpan().ContainsAny('.', 'e', 'E') || char.IsAsciiLetter(unsigned.ElementAtOrDefault(1)));
    }

    private static double? Prefixed(string number)
    {
        int radix = char.ToLowerInvariant(number[1]) switch { 'x' => 16, 'o' => 8, _ => 2 };
        double value = 0;
        foreach (char c in number.AsSpan(2))
        {
            if (!char.IsAsciiHexDigit(c))
            {
                return null;
            }
            value = (value * radix) + Convert.ToInt32(c.ToString(), 16);
        }
        return number.Length > 2 ? value : null;
    }

    // ---- Tokens.

    private TemplateToken Next() => pushedBack.TryPop(out TemplateToken token) ? token : lexer.Next();

    private TemplateToken NextNonSpace()
    {
        TemplateToken token = Next();
        while (token.Kind == TemplateTokenKind.Space)
        {
            token = Next();
        }
        return token;
    }

    private void PushBack(TemplateToken token) => pushedBack.Push(token);

    private void Expect(TemplateTokenKind kind, string context)
    {
        TemplateToken token = NextNonSpace();
        if (token.Kind != kind)
        {
            throw Unexpected(token, context);
        }
    }

    private static TemplateException Unexpected(TemplateToken token, string context) =>
        new(token.Offset, token.Kind == TemplateTokenKind.End ? "unexpected EOF" : $"unexpected \"{token.Text}\" in {context}");
}
