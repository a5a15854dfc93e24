namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// Parses an expression into a tree, macros recognised. Depth is bounded. The first mistake ends parsing; its issue says
/// what was found and where.
/// </summary>
internal sealed class CelParser
{
    private const int MaxDepth = 200;

    private static readonly string[][] Levels = [["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]];

    private readonly List<CelLexeme> tokens;
    private int next;
    private int depth;

    private CelParser(List<CelLexeme> tokens) => this.tokens = tokens;

    public static (Expr? Tree, CelIssue? Issue) Parse(string source)
    {
        var lexer = new CelLexer(source);
        List<CelLexeme> tokens = lexer.Read();
        if (lexer.Issue is not null)
        {
            return (null, lexer.Issue);
        }

        var parser = new CelParser(tokens);
        try
        {
            Expr tree = parser.Ternary();
            return parser.Peek.Kind == CelToken.End ? (tree, null) : (null, parser.Unexpected());
        }
        catch (SyntaxException error)
        {
            return (null, error.Issue);
        }
    }

    private CelLexeme Peek => tokens[next];

    private bool Is(string symbol) => Peek.Kind == CelToken.Symbol && Peek.Text == symbol;

    private CelLexeme Take() => tokens[next++];

    private bool TryTake(string symbol, out int at)
    {
        at = Peek.At;
        if (!Is(symbol))
        {
            return false;
        }

        next++;
        return true;
    }

    private int Expect(string symbol) => TryTake(symbol, out int at) ? at : throw new SyntaxException(Unexpected());

    private CelIssue Unexpected() => Peek.Kind == CelToken.End
        ? new CelIssue(Peek.At, "Syntax error: mismatched input '<EOF>'")
        : new CelIssue(Peek.At, $"Syntax error: extraneous input '{Peek.Text}'");

    private Expr Ternary()
    {
        if (++depth > MaxDepth)
        {
            throw new SyntaxException(new CelIssue(Peek.At, "expression recursion limit exceeded"));
        }

        Expr condition = Logical("||");
        if (TryTake("?", out int at))
        {
            Expr yes = Logical("||");
            Expect(":");
            condition = new Call(at, "_?_:_", null, [condition, yes, Ternary()]);
        }

        depth--;
        return condition;
    }

    private Expr Logical(string symbol)
    {
        Expr left = symbol == "||" ? Logical("&&") : Binary(0);
        while (TryTake(symbol, out int at))
        {
            left = new Call(at, $"_{symbol}_", null, [left, symbol == "||" ? Logical("&&") : Binary(0)]);
        }

        return left;
    }

    private Expr Binary(int level)
    {
        if (level == Levels.Length)
        {
            return Unary();
        }

        Expr left = Binary(level + 1);
        while (Peek.Kind == CelToken.Symbol && Levels[level].Contains(Peek.Text))
        {
            CelLexeme op = Take();
            left = new Call(op.At, op.Text == "in" ? "@in" : $"_{op.Text}_", null, [left, Binary(level + 1)]);
        }

        return left;
    }

    private Expr Unary()
    {
        if (Is("!") || Is("-"))
        {
            CelLexeme op = Take();
            if (op.Text == "-" && Peek is { Kind: CelToken.Value, Value: long or double } number)
            {
                next++;
                return Postfix(new Literal(op.At, number.Value is long whole ? (object)(whole == long.MinValue ? whole : -whole) : -(double)number.Value));
            }

            return new Call(op.At, op.Text == "!" ? "!_" : "-_", null, [Unary()]);
        }

        return Postfix(Primary());
    }

    private Expr Primary()
    {
        CelLexeme token = Take();
        switch (token.Kind)
        {
            case CelToken.Value:
                return token.Value is long.MinValue ? throw new SyntaxException(new CelIssue(token.At, "invalid int literal")) : new Literal(token.At, token.Value);
            case CelToken.Identifier:
                return Name(token);
            case CelToken.Symbol when token.Text == ".":
                return Name(Take());
            case CelToken.Symbol when token.Text == "(":
                Expr inner = Ternary();
                Expect(")");
                return inner;
            case CelToken.Symbol when token.Text is "[" or "[?":
                return List(token.At, token.Text == "[?");
            case CelToken.Symbol when token.Text == "{":
                return MapEntries(token.At);
            case CelToken.End:
                throw new SyntaxException(new CelIssue(token.At, "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"));
            default:
                next--;
                throw new SyntaxException(Unexpected());
        }
    }

    private Expr Name(CelLexeme name)
    {
        if (name.Kind != CelToken.Identifier)
        {
            next--;
            throw new SyntaxException(Unexpected());
        }

        if (TryTake("(", out int open))
        {
            return Macros.Global(open, name.Text, Arguments(")"), out CelIssue? issue) ?? throw new SyntaxException(issue!);
        }

        return FieldNames.IsReserved(name.Text) ? throw new SyntaxException(new CelIssue(name.At, "reserved identifier: " + name.Text)) : new Ident(name.At, name.Text);
    }

    private Expr Postfix(Expr operand)
    {
        while (true)
        {
            if (TryTake(".", out int dot) || TryTake(".?", out dot))
            {
                bool optional = tokens[next - 1].Text == ".?";
                CelLexeme name = Take();
                if (name.Kind != CelToken.Identifier && !(name.Kind == CelToken.Symbol && name.Text == "in"))
                {
                    next--;
                    throw new SyntaxException(Unexpected());
                }

                operand = TryTake("(", out int open)
                    ? Macros.Member(open, name.Text, operand, Arguments(")"), out CelIssue? issue) ?? throw new SyntaxException(issue!)
                    : new Select(dot, operand, name.Text, isOptional: optional);
            }
            else if (TryTake("[", out int bracket) || TryTake("[?", out bracket))
            {
                bool optional = tokens[next - 1].Text == "[?";
                Expr index = Ternary();
                Expect("]");
                operand = new Call(bracket, optional ? "_[?_]" : "_[_]", null, [operand, index]);
            }
            else
            {
                return operand;
            }
        }
    }

    private List<Expr> Arguments(string end)
    {
        var arguments = new List<Expr>();
        while (!Is(end))
        {
            arguments.Add(Ternary());
            if (!TryTake(",", out _))
            {
                break;
            }
        }

        Expect(end);
        return arguments;
    }

    private ListLiteral List(int at, bool firstOptional)
    {
        var items = new List<(Expr, bool)>();
        while (!Is("]"))
        {
            bool optional = (items.Count == 0 && firstOptional) || TryTake("?", out _);
            items.Add((Ternary(), optional));
            if (!TryTake(",", out _))
            {
                break;
            }
        }

        Expect("]");
        return new ListLiteral(at, items);
    }

    private MapLiteral MapEntries(int at)
    {
        var entries = new List<(Expr, Expr, bool)>();
        while (!Is("}"))
        {
            bool optional = TryTake("?", out _);
            Expr key = Ternary();
            Expect(":");
            entries.Add((key, Ternary(), optional));
            if (!TryTake(",", out _))
            {
                break;
            }
        }

        Expect("}");
        return new MapLiteral(at, entries);
    }

    private sealed class SyntaxException(CelIssue issue) : Exception(issue.Message)
    {
        public CelIssue Issue { get; } = issue;
    }

    /// <summary>Calls that are macros become what they stand for; all others stay calls.</summary>
    private static class Macros
    {
        public static Expr? Global(int at, string name, List<Expr> arguments, out CelIssue? issue)
        {
            issue = null;
            if (name != "has" || arguments.Count != 1)
            {
                return new Call(at, name, null, arguments);
            }

            if (arguments[0] is Select { IsOptional: false } select)
            {
                return new Select(at, select.Operand, select.Field, isTest: true);
            }

            issue = new CelIssue(arguments[0].At, "invalid argument to has() macro");
            return null;
        }

        public static Expr? Member(int at, string name, Expr target, List<Expr> arguments, out CelIssue? issue)
        {
            issue = null;
            MacroKind? kind = (name, arguments.Count) switch
            {
                ("all", 2 or 3) => MacroKind.All,
                ("exists", 2 or 3) => MacroKind.Exists,
                ("exists_one" or "existsOne", 2 or 3) => MacroKind.ExistsOne,
                ("map", 2 or 3) => MacroKind.Map,
                ("filter", 2) => MacroKind.Filter,
                ("transformList", 3 or 4) => MacroKind.TransformList,
                ("transformMap", 3 or 4) => MacroKind.TransformMap,
                ("optMap", 2) => MacroKind.OptMap,
                ("optFlatMap", 2) => MacroKind.OptFlatMap,
                _ => null,
            };
            if (kind is null)
            {
                return new Call(at, name, target, arguments);
            }

            bool two = kind is MacroKind.TransformList or MacroKind.TransformMap || (arguments.Count == 3 && kind is MacroKind.All or MacroKind.Exists or MacroKind.ExistsOne);
            int variables = two ? 2 : 1;
            if (arguments.Take(variables).FirstOrDefault(static argument => argument is not Ident) is { } wrong)
            {
                issue = new CelIssue(wrong.At, "argument must be a simple name");
                return null;
            }

            Expr? filter = arguments.Count == variables + 2 ? arguments[variables] : null;
            return new Macro(at, kind.Value, target, ((Ident)arguments[0]).Name, two ? ((Ident)arguments[1]).Name : null, filter, arguments[^1]);
        }
    }
}
