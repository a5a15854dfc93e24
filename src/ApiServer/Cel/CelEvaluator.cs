namespace OptiInfra.ApiServer.Cel;

/// <summary>
/// Runs a checked tree. Every step is paid from a budget, so that no rule runs for long. An operand that fails does not
/// fail <c>&amp;&amp;</c>, <c>||</c> and the loops built on them when the other side already decides.
/// </summary>
internal sealed class CelEvaluator
{
    private readonly Dictionary<string, object?> variables;
    private long budget;

    private CelEvaluator(IReadOnlyDictionary<string, object?> variables, long budget)
    {
        this.variables = new Dictionary<string, object?>(variables);
        this.budget = budget;
    }

    public const string OverBudget = "operation cancelled: actual cost limit exceeded";

    /// <exception cref="CelException">The expression failed.</exception>
    public static object? Evaluate(Expr tree, IReadOnlyDictionary<string, object?> variables, long budget) => new CelEvaluator(variables, budget).Run(tree);

    private object? Run(Expr node)
    {
        if (--budget < 0)
        {
            throw new CelException(OverBudget);
        }

        return node switch
        {
            Literal literal => literal.Value,
            Ident ident => variables.TryGetValue(ident.Name, out object? value) ? value : CelChecker.NamedType(ident.Name),
            Select select => RunSelect(select),
            Call call => RunCall(call),
            ListLiteral list => RunList(list),
            MapLiteral map => RunMap(map),
            _ => RunMacro((Macro)node),
        };
    }

    private object? RunSelect(Select select)
    {
        object? operand = Run(select.Operand);
        bool optional = select.IsOptional || operand is CelOptional;
        if (operand is CelOptional wrapped)
        {
            if (!wrapped.HasValue)
            {
                return select.IsTest ? false : CelOptional.None;
            }

            operand = wrapped.Value;
        }

        if (operand is not CelMap map)
        {
            return optional && operand is null ? CelOptional.None : throw CelException.NoOverload();
        }

        bool found = map.TryGet(select.Field, out object? value);
        return select.IsTest ? found : optional ? found ? CelOptional.Of(value) : CelOptional.None : found ? value : throw new CelException("no such key: " + select.Field);
    }

    private object? RunCall(Call call)
    {
        switch (call.Function)
        {
            case "_&&_":
                return Decide(call.Arguments[0], call.Arguments[1], decisive: false);
            case "_||_":
                return Decide(call.Arguments[0], call.Arguments[1], decisive: true);
            case "_?_:_":
                return Run(call.Arguments[0]) is bool condition ? Run(call.Arguments[condition ? 1 : 2]) : throw CelException.NoOverload();
        }

        object?[] operands = [.. call.Operands.Select(Run).ToList()];
        foreach (Overload overload in call.Overloads)
        {
            if (overload.Accepts(operands))
            {
                budget -= operands.Sum(static operand => operand is string text ? text.Length / 10 : 0);
                return Guarded(overload, operands);
            }
        }

        throw CelException.NoOverload();
    }

    private static object? Guarded(Overload overload, object?[] operands)
    {
        try
        {
            return overload.Run(operands);
        }
        catch (Exception error) when (error is OverflowException or ArgumentOutOfRangeException or InvalidCastException)
        {
            throw error is InvalidCastException ? CelException.NoOverload() : new CelException("integer overflow");
        }
    }

    // One side may decide although the other one failed.
    private bool Decide(Expr left, Expr right, bool decisive)
    {
        (bool? first, CelException? error) = Try(left);
        if (first == decisive)
        {
            return decisive;
        }

        (bool? second, CelException? other) = Try(right);
        return second == decisive ? decisive : (error ?? other) is { } failure ? throw failure : !decisive;
    }

    private (bool? Value, CelException? Error) Try(Expr node)
    {
        try
        {
            return Run(node) is bool value ? (value, null) : (null, CelException.NoOverload());
        }
        catch (CelException error) when (error.Message != OverBudget)
        {
            return (null, error);
        }
    }

    private CelList RunList(ListLiteral list)
    {
        var items = new List<object?>();
        foreach ((Expr node, bool optional) in list.Items)
        {
            object? value = Run(node);
            if (!optional)
            {
                items.Add(value);
            }
            else if (value is CelOptional { HasValue: true } some)
            {
                items.Add(some.Value);
            }
        }

        return CelList.Of(items);
    }

    private CelMap RunMap(MapLiteral map)
    {
        var entries = new Dictionary<object, object?>();
        foreach ((Expr key, Expr node, bool optional) in map.Entries)
        {
            object name = Run(key) ?? throw new CelException("unsupported key type");
            object? value = Run(node);
            if (!optional || value is CelOptional { HasValue: true })
            {
                entries[name] = optional ? ((CelOptional)value!).Value : value;
            }
        }

        return CelMap.Of(entries);
    }

    private object? RunMacro(Macro macro)
    {
        object? range = Run(macro.Range);
        if (macro.Kind is MacroKind.OptMap or MacroKind.OptFlatMap)
        {
            return range is not CelOptional { HasValue: true } some ? CelOptional.None
                : With(macro, some.Value, null, () => macro.Kind == MacroKind.OptMap ? CelOptional.Of(Run(macro.Body)) : Run(macro.Body));
        }

        IEnumerable<(object? First, object? Second)> rounds = range switch
        {
            CelList list => macro.Second is null ? list.Items.Select(static item => (item, (object?)null)) : list.Items.Select(static (item, i) => ((object?)(long)i, item)),
            CelMap map => map.Keys.Select(key => ((object?)key, map.TryGet(key, out object? value) ? value : null)),
            _ => throw CelException.NoOverload(),
        };
        return macro.Kind switch
        {
            MacroKind.All => Fold(macro, rounds, decisive: false),
            MacroKind.Exists => Fold(macro, rounds, decisive: true),
            MacroKind.ExistsOne => rounds.Count(round => With(macro, round.First, round.Second, () => Run(macro.Body)) is true) == 1,
            MacroKind.TransformMap => CelMap.Of(Collect(macro, rounds).ToDictionary(static pair => pair.Key!, static pair => pair.Value)),
            _ => CelList.Of([.. Collect(macro, rounds).Select(static pair => pair.Value)]),
        };
    }

    private bool Fold(Macro macro, IEnumerable<(object? First, object? Second)> rounds, bool decisive)
    {
        CelException? failure = null;
        foreach ((object? first, object? second) in rounds)
        {
            (bool? value, CelException? error) = With(macro, first, second, () => Try(macro.Body));
            if (value == decisive)
            {
                return decisive;
            }

            failure ??= error;
        }

        return failure is null ? !decisive : throw failure;
    }

    private List<(object? Key, object? Value)> Collect(Macro macro, IEnumerable<(object? First, object? Second)> rounds)
    {
        var collected = new List<(object?, object?)>();
        foreach ((object? first, object? second) in rounds)
        {
            With<object?>(macro, first, second, () =>
            {
                if (macro.Kind == MacroKind.Filter)
                {
                    collected.AddRange(Run(macro.Body) is true ? [(first, first)] : Array.Empty<(object?, object?)>());
                }
                else if (macro.Filter is null || Run(macro.Filter) is true)
                {
                    collected.Add((first, Run(macro.Body)));
                }

                return null;
            });
        }

        return collected;
    }

    private T With<T>(Macro macro, object? first, object? second, Func<T> run)
    {
        bool had = variables.TryGetValue(macro.Variable, out object? hidden);
        object? hiddenSecond = null;
        bool hadSecond = macro.Second is not null && variables.TryGetValue(macro.Second, out hiddenSecond);
        variables[macro.Variable] = first;
        if (macro.Second is not null)
        {
            variables[macro.Second] = second;
        }

        try
        {
            return run();
        }
        finally
        {
            Restore(macro.Variable, had, hidden);
            if (macro.Second is not null)
            {
                Restore(macro.Second, hadSecond, hiddenSecond);
            }
        }
    }

    private void Restore(string name, bool had, object? value)
    {
        if (had)
        {
            variables[name] = value;
        }
        else
        {
            variables.Remove(name);
        }
    }
}
