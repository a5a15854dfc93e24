using System.Collections.Immutable;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Lint;

/// <summary>
/// The labels that series of a result can carry: all but <see cref="Names"/> when <see cref="IsOpen"/>, otherwise none but
/// <see cref="Names"/>. <see cref="Removed"/> remembers which node took a label away, so that a finding can point at it.
/// </summary>
public sealed record LabelSet(bool IsOpen, ImmutableHashSet<string> Names, ImmutableDictionary<string, Expr> Removed)
{
    public static readonly LabelSet Anything = new(true, [], ImmutableDictionary<string, Expr>.Empty);

    public static readonly LabelSet Nothing = new(false, [], ImmutableDictionary<string, Expr>.Empty);

    public bool CanHave(string label) => IsOpen != Names.Contains(label);

    public LabelSet With(IEnumerable<string> labels) => this with { Names = IsOpen ? Names.Except(labels) : Names.Union(labels) };

    public LabelSet Without(IEnumerable<string> labels) => this with { Names = IsOpen ? Names.Union(labels) : Names.Except(labels) };

    public LabelSet Only(IEnumerable<string> labels) => new(false, [.. labels.Where(CanHave)], Removed);

    public LabelSet Union(LabelSet other) => (IsOpen, other.IsOpen) switch
    {
        (true, true) => this with { Names = Names.Intersect(other.Names) },
        (true, false) => With(other.Names),
        (false, true) => other.With(Names),
        _ => this with { Names = Names.Union(other.Names) },
    };
}

/// <summary>
/// Which labels flow from the selectors through aggregations, functions and joins to the result. The one place that knows it:
/// rules about templates, joins and groupings ask here. What a selector's series carry is unknown unless the caller knows better
/// (recording rules of the same file), so "cannot have" is certain and "can have" is not.
/// </summary>
internal static class LabelFlow
{
    public static LabelSet Of(Expr expr, Func<string, LabelSet?>? recorded = null) => expr switch
    {
        VectorSelector selector => OfSelector(selector, recorded),
        MatrixSelector matrix => OfSelector(matrix.Selector, recorded),
        SubqueryExpr subquery => Of(subquery.Inner, recorded),
        ParenExpr paren => Of(paren.Inner, recorded),
        UnaryExpr unary => Of(unary.Inner, recorded),
        Aggregation aggregation => OfAggregation(aggregation, recorded),
        Call call => OfCall(call, recorded),
        BinaryExpr binary => OfBinary(binary, recorded),
        _ => LabelSet.Nothing,
    };

    private static LabelSet OfSelector(VectorSelector selector, Func<string, LabelSet?>? recorded)
    {
        LabelSet known = (selector.MetricName is { } name ? recorded?.Invoke(name) : null) ?? LabelSet.Anything;
        return known.Without(selector.Matchers.Where(m => m is { Op: MatchOp.Equal, Value: "" }).Select(m => m.Name));
    }

    private static LabelSet OfAggregation(Aggregation aggregation, Func<string, LabelSet?>? recorded)
    {
        LabelSet inner = Of(aggregation.Inner, recorded);
        if (aggregation.Op is AggregateOp.Topk or AggregateOp.Bottomk or AggregateOp.Limitk or AggregateOp.LimitRatio)
        {
            return inner;
        }
        LabelSet kept = aggregation.Without ? inner.Without(aggregation.Grouping) : inner.Only(aggregation.Grouping);
        kept = kept.Without([LabelMatcher.MetricNameLabel]);
        if (aggregation is { Op: AggregateOp.CountValues, Param: StringLiteral label })
        {
            kept = kept.With([label.Value]);
        }
        IEnumerable<string> lost = aggregation.Without ? aggregation.Grouping : [];
        return kept with { Removed = kept.Removed.SetItems(lost.Append("*").Select(name => KeyValuePair.Create(name, (Expr)aggregation))) };
    }

    private static LabelSet OfCall(Call call, Func<string, LabelSet?>? recorded)
    {
        switch (call.Function.Name)
        {
            case "absent" or "absent_over_time":
                return call.Args[0].Unparenthesized() switch
                {
                    VectorSelector selector => Equalities(selector),
                    MatrixSelector matrix => Equalities(matrix.Selector),
                    _ => LabelSet.Nothing,
                };
            case "label_replace" or "label_join" when call.Args is [var source, StringLiteral target, ..]:
                return Of(source, recorded).With([target.Value]);
            case "histogram_quantile":
                return Of(call.Args[^1], recorded).Without(["le"]);
            case "info":
                return LabelSet.Anything;
            case "vector" or "scalar" or "time" or "pi":
                return LabelSet.Nothing;
        }
        Expr? vector = call.Args.FirstOrDefault(arg => arg.Type is PromType.Vector or PromType.Matrix);
        return vector is null ? LabelSet.Nothing : Of(vector, recorded);
    }

    private static LabelSet Equalities(VectorSelector selector) =>
        LabelSet.Nothing.With(selector.Matchers.Where(m => m is { Op: MatchOp.Equal, Value.Length: > 0 }).Select(m => m.Name));

    private static LabelSet OfBinary(BinaryExpr binary, Func<string, LabelSet?>? recorded)
    {
        if (binary.Left.Type != PromType.Vector || binary.Right.Type != PromType.Vector)
        {
            return Of(binary.Left.Type == PromType.Vector ? binary.Left : binary.Right, recorded);
        }
        LabelSet left = Of(binary.Left, recorded);
        if (binary.Op is BinaryOp.And or BinaryOp.Unless)
        {
            return left;
        }
        LabelSet right = Of(binary.Right, recorded);
        if (binary.Op == BinaryOp.Or)
        {
            return left.Union(right);
        }
        VectorMatching matching = binary.Matching;
        LabelSet joined = matching.Card switch
        {
            MatchCardinality.ManyToOne => left.With(matching.Include.Where(right.CanHave)),
            MatchCardinality.OneToMany => right.With(matching.Include.Where(left.CanHave)),
            _ when binary.Op.IsComparison() && !binary.ReturnBool => matching.On ? left.Only(matching.Labels) : left.Without(matching.Labels),
            _ => matching.On ? left.Only(matching.Labels) : left.Without(matching.Labels),
        };
        return joined with { Removed = joined.Removed.SetItem("*", binary) };
    }
}
