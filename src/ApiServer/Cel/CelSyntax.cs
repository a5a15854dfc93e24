namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// The syntax tree of an expression. <see cref="At"/> is the offset that messages point at: the operator of an
/// operation, the dot of a selection, the opening parenthesis of a call. The checker notes each node's type on it.
/// </summary>
internal abstract class Expr(int at)
{
    public int At { get; } = at;

    public CelType Type { get; set; } = CelType.Dyn;
}

internal sealed class Literal(int at, object? value) : Expr(at)
{
    public object? Value { get; } = value;
}

internal sealed class Ident(int at, string name) : Expr(at)
{
    public string Name { get; } = name;
}

/// <summary>A field of an object or map; a test asks whether it is there, an optional selection never fails.</summary>
internal sealed class Select(int at, Expr operand, string field, bool isTest = false, bool isOptional = false) : Expr(at)
{
    public Expr Operand { get; } = operand;

    public string Field { get; } = field;

    public bool IsTest { get; } = isTest;

    public bool IsOptional { get; } = isOptional;
}

/// <summary>A call of a function, method or operator; operators have names like <c>_+_</c>.</summary>
internal sealed class Call(int at, string function, Expr? target, IReadOnlyList<Expr> arguments) : Expr(at)
{
    public string Function { get; set; } = function;

    public Expr? Target { get; set; } = target;

    public IReadOnlyList<Expr> Arguments { get; } = arguments;

    /// <summary>Target, if there is one, and arguments.</summary>
    public IEnumerable<Expr> Operands => Target is null ? Arguments : Arguments.Prepend(Target);

    /// <summary>The overloads that fit the types; more than one where a dynamic value leaves the choice open.</summary>
    public IReadOnlyList<Overload> Overloads { get; set; } = [];
}

internal sealed class ListLiteral(int at, IReadOnlyList<(Expr Value, bool IsOptional)> items) : Expr(at)
{
    public IReadOnlyList<(Expr Value, bool IsOptional)> Items { get; } = items;
}

internal sealed class MapLiteral(int at, IReadOnlyList<(Expr Key, Expr Value, bool IsOptional)> entries) : Expr(at)
{
    public IReadOnlyList<(Expr Key, Expr Value, bool IsOptional)> Entries { get; } = entries;
}

internal enum MacroKind
{
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformList,
    TransformMap,
    OptMap,
    OptFlatMap,
}

/// <summary>
/// A macro that binds variables: a loop over a range with an optional filter and a body.
/// With two variables the first is the index or key and the second the value.
/// </summary>
internal sealed class Macro(int at, MacroKind kind, Expr range, string variable, string? second, Expr? filter, Expr body) : Expr(at)
{
    public MacroKind Kind { get; } = kind;

    public Expr Range { get; } = range;

    public string Variable { get; } = variable;

    public string? Second { get; } = second;

    public Expr? Filter { get; } = filter;

    public Expr Body { get; } = body;
}

/// <summary>A mistake in an expression: where, and what.</summary>
internal sealed record CelIssue(int At, string Message)
{
    /// <summary>All issues as the compiler prints them: position, text, and a caret under the line.</summary>
    public static string Format(string source, IEnumerable<CelIssue> issues) => string.Join('\n', issues.OrderBy(static issue => issue.At).Select(issue => issue.Show(source)));

    private string Show(string source)
    {
        int at = Math.Min(At, source.Length);
        int start = at == 0 ? 0 : source.LastIndexOf('\n', at - 1) + 1;
        int end = source.IndexOf('\n', start) is var next && next < 0 ? source.Length : next;
        int line = source.AsSpan(0, start).Count('\n') + 1;
        return $"ERROR: <input>:{line}:{at - start + 1}: {Message}\n | {source[start..end]}\n | {new string('.', at - start)}^";
    }
}
