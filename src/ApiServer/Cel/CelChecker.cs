namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// Gives every node of a tree its type and every call its overloads. Dynamic values fit everywhere and are looked at
/// again when the expression runs. All type errors are reported, each where it is.
/// </summary>
internal sealed class CelChecker
{
    private static readonly Dictionary<string, CelType> TypeNames = new()
    {
        ["bool"] = CelType.Bool, ["int"] = CelType.Int, ["uint"] = CelType.Uint, ["double"] = CelType.Double, ["string"] = CelType.String, ["bytes"] = CelType.Bytes,
        ["list"] = CelType.List(CelType.Dyn), ["map"] = CelType.Map(CelType.Dyn, CelType.Dyn), ["null_type"] = CelType.Null, ["type"] = CelType.TypeOf(CelType.Dyn),
    };

    private readonly Dictionary<string, CelType> variables;
    private readonly List<CelIssue> issues = [];
    private readonly HashSet<string> used = [];

    private CelChecker(IReadOnlyDictionary<string, CelType> variables) => this.variables = new Dictionary<string, CelType>(variables);

    /// <summary>Checks a tree; returns the issues and the names of the variables that it reads.</summary>
    public static (IReadOnlyList<CelIssue> Issues, IReadOnlySet<string> Used) Check(Expr tree, IReadOnlyDictionary<string, CelType> variables)
    {
        var checker = new CelChecker(variables);
        checker.Visit(tree);
        return (checker.issues, checker.used);
    }

    public static CelType? NamedType(string name) => TypeNames.GetValueOrDefault(name);

    private CelType Visit(Expr node) => node.Type = node switch
    {
        Literal literal => CelValue.TypeOf(literal.Value),
        Ident ident => VisitIdent(ident),
        Select select => VisitSelect(select),
        Call call => VisitCall(call),
        ListLiteral list => CelType.List(Common(list.Items.Select(item => item.IsOptional ? Unwrap(Visit(item.Value)) : Visit(item.Value)))),
        MapLiteral map => CelType.Map(
            Common(map.Entries.Select(entry => Visit(entry.Key)).ToList()),
            Common(map.Entries.Select(entry => entry.IsOptional ? Unwrap(Visit(entry.Value)) : Visit(entry.Value)).ToList())),
        _ => VisitMacro((Macro)node),
    };

    private static CelType Unwrap(CelType type) => type.Kind == CelKind.Optional ? type.Parameters[0] : CelType.Dyn;

    private static CelType Common(IEnumerable<CelType> types)
    {
        List<CelType> all = [.. types];
        return all.Count > 0 && all.TrueForAll(type => type.Equals(all[0])) ? all[0] : CelType.Dyn;
    }

    private CelType Fail(int at, string message)
    {
        issues.Add(new CelIssue(at, message));
        return CelType.Dyn;
    }

    private CelType VisitIdent(Ident ident)
    {
        if (variables.TryGetValue(ident.Name, out CelType? type))
        {
            used.Add(ident.Name);
            return type;
        }

        return TypeNames.TryGetValue(ident.Name, out CelType? named) ? CelType.TypeOf(named) : Fail(ident.At, $"undeclared reference to '{ident.Name}' (in container '')");
    }

    private CelType VisitSelect(Select select)
    {
        CelType operand = Visit(select.Operand);
        bool optional = select.IsOptional || operand.Kind == CelKind.Optional;
        CelType from = operand.Kind == CelKind.Optional ? operand.Parameters[0] : operand;
        CelType field = from.Kind switch
        {
            CelKind.Dyn => CelType.Dyn,
            CelKind.Map => from.Parameters[1],
            CelKind.Object => from.Fields!.TryGetValue(select.Field, out CelType? declared) ? declared : Fail(select.At, $"undefined field '{select.Field}'"),
            _ => Fail(select.At, $"type '{from}' does not support field selection"),
        };
        return select.IsTest ? CelType.Bool : optional ? CelType.Optional(field) : field;
    }

    private CelType VisitCall(Call call)
    {
        // optional.of(x) and the like are functions with a dot in their name, unless a variable has the first part's name.
        if (call.Target is Ident space && !variables.ContainsKey(space.Name) && CelFunctions.Exists($"{space.Name}.{call.Function}"))
        {
            call.Function = $"{space.Name}.{call.Function}";
            call.Target = null;
        }

        if (call.Function is "_&&_" or "_||_")
        {
            foreach (Expr side in call.Arguments)
            {
                Expect(CelType.Bool, Visit(side), side.At);
            }

            call.Overloads = [.. CelFunctions.Find(call.Function, isMember: false)];
            return CelType.Bool;
        }

        bool member = call.Target is not null;
        CelType[] operands = [.. call.Operands.Select(Visit).ToList()];
        if (!CelFunctions.Exists(call.Function))
        {
            return Fail(call.At, $"undeclared reference to '{call.Function}' (in container '')");
        }

        var fitting = new List<Overload>();
        var results = new List<CelType>();
        foreach (Overload overload in CelFunctions.Find(call.Function, member).Where(overload => overload.Operands.Length == operands.Length))
        {
            var bound = new Dictionary<string, CelType>();
            if (overload.Operands.Zip(operands).All(pair => Fits(pair.First, pair.Second, bound)))
            {
                fitting.Add(overload);
                results.Add(Substitute(overload.Result, bound));
            }
        }

        if (fitting.Count == 0)
        {
            string signature = member ? $"{operands[0]}.({string.Join(", ", operands.Skip(1))})" : $"({string.Join(", ", (object[])operands)})";
            return Fail(call.At, $"found no matching overload for '{call.Function}' applied to '{signature}'");
        }

        call.Overloads = fitting;
        return Common(results);
    }

    private static bool Fits(CelType wanted, CelType actual, Dictionary<string, CelType> bound)
    {
        if (wanted.Kind == CelKind.Param)
        {
            if (!bound.TryGetValue(wanted.Name, out CelType? known) || known.Kind == CelKind.Dyn)
            {
                bound[wanted.Name] = actual;
                return true;
            }

            return Fits(known, actual, bound) || (actual.Kind == CelKind.Null && IsNullable(known)) || (known.Kind == CelKind.Null && IsNullable(actual));
        }

        if (wanted.Kind == CelKind.Dyn || actual.Kind == CelKind.Dyn)
        {
            return true;
        }

        if (wanted.Kind != actual.Kind || wanted.Parameters.Length != actual.Parameters.Length)
        {
            return actual.Kind == CelKind.Null && IsNullable(wanted);
        }

        return wanted.Kind switch
        {
            CelKind.Opaque => wanted.Name == actual.Name,
            CelKind.Object => ReferenceEquals(wanted.Fields, actual.Fields),
            CelKind.Type => true,
            _ => wanted.Parameters.Zip(actual.Parameters).All(pair => Fits(pair.First, pair.Second, bound)),
        };
    }

    private static bool IsNullable(CelType type) => type.Kind is CelKind.Object or CelKind.Opaque or CelKind.Timestamp or CelKind.Duration or CelKind.Optional;

    private static CelType Substitute(CelType type, Dictionary<string, CelType> bound) => type.Kind switch
    {
        CelKind.Param => bound.GetValueOrDefault(type.Name, CelType.Dyn),
        CelKind.List or CelKind.Map or CelKind.Optional or CelKind.Type => new CelType(type.Kind, type.Name, [.. type.Parameters.Select(parameter => Substitute(parameter, bound))]) { MaxSize = type.MaxSize },
        _ => type,
    };

    private CelType VisitMacro(Macro macro)
    {
        CelType range = Visit(macro.Range);
        if (macro.Kind is MacroKind.OptMap or MacroKind.OptFlatMap)
        {
            CelType inner = Scoped([(macro.Variable, range.Kind == CelKind.Optional ? range.Parameters[0] : CelType.Dyn)], () => Visit(macro.Body));
            return range.Kind is not (CelKind.Optional or CelKind.Dyn)
                ? Fail(macro.At, $"found no matching overload for 'optMap' applied to '{range}.(dyn)'")
                : macro.Kind == MacroKind.OptMap ? CelType.Optional(inner) : inner;
        }

        (CelType first, CelType second)? items = range.Kind switch
        {
            CelKind.List => (macro.Second is null ? range.Parameters[0] : CelType.Int, range.Parameters[0]),
            CelKind.Map => (range.Parameters[0], range.Parameters[1]),
            CelKind.Dyn => (CelType.Dyn, CelType.Dyn),
            _ => null,
        };
        if (items is null)
        {
            return Fail(macro.Range.At, $"expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)");
        }

        (string, CelType)[] bound = macro.Second is null ? [(macro.Variable, items.Value.first)] : [(macro.Variable, items.Value.first), (macro.Second, items.Value.second)];
        return Scoped(bound, () => LoopType(macro, range));
    }

    private CelType LoopType(Macro macro, CelType range)
    {
        if (macro.Filter is not null)
        {
            Expect(CelType.Bool, Visit(macro.Filter), macro.Filter.At);
        }

        CelType body = Visit(macro.Body);
        switch (macro.Kind)
        {
            case MacroKind.Map or MacroKind.TransformList:
                return CelType.List(body);
            case MacroKind.TransformMap:
                return CelType.Map(range.Kind == CelKind.Map ? range.Parameters[0] : CelType.Int, body);
            case MacroKind.Filter:
                Expect(CelType.Bool, body, macro.Body.At);
                return CelType.List(range.Kind == CelKind.Dyn ? CelType.Dyn : range.Parameters[0]);
            default:
                Expect(CelType.Bool, body, macro.Body.At);
                return CelType.Bool;
        }
    }

    private void Expect(CelType wanted, CelType actual, int at)
    {
        if (actual.Kind != wanted.Kind && actual.Kind != CelKind.Dyn)
        {
            Fail(at, $"expected type '{wanted}' but found '{actual}'");
        }
    }

    private CelType Scoped((string Name, CelType Type)[] bound, Func<CelType> visit)
    {
        List<(string Name, CelType? Type)> hidden = [.. bound.Select(variable => (variable.Name, variables.GetValueOrDefault(variable.Name)))];
        foreach ((string name, CelType type) in bound)
        {
            variables[name] = type;
        }

        CelType result = visit();
        foreach ((string name, CelType? type) in hidden)
        {
            if (type is null)
            {
                variables.Remove(name);
            }
            else
            {
                variables[name] = type;
            }
        }

        return result;
    }
}
