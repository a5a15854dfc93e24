using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Types;

/// <summary>
/// Prometheus' rules on a tree whose syntax is right: value types, numbers of arguments, what vector matching allows,
/// selectors that select everything. Mistakes come in the order in which Prometheus finds them.
/// </summary>
internal static class TypeChecker
{
    public static void Check(Expr expr, List<SyntaxError> errors) => new Pass(errors).Visit(expr);

    private readonly struct Pass(List<SyntaxError> errors)
    {
        public PromType Visit(Expr expr)
        {
            switch (expr)
            {
                case Aggregation aggregation:
                    Visit(aggregation);
                    break;
                case BinaryExpr binary:
                    return Visit(binary);
                case Call call:
                    Visit(call);
                    break;
                case ParenExpr paren:
                    return Visit(paren.Inner);
                case UnaryExpr unary:
                    PromType type = Visit(unary.Inner);
                    if (type is not (PromType.Scalar or PromType.Vector))
                    {
                        Report(unary.Span, $"unary expression only allowed on expressions of type scalar or instant vector, got \"{type.Describe()}\"");
                    }
                    return type;
                case SubqueryExpr subquery:
                    if (Visit(subquery.Inner) is not PromType.Vector and var inner)
                    {
                        Report(subquery.Span, $"subquery is only allowed on instant vector, got {inner.Describe()} instead");
                    }
                    break;
                case MatrixSelector matrix:
                    Visit(matrix.Selector, bypassEmptyCheck: false);
                    break;
                case VectorSelector selector:
                    Visit(selector, bypassEmptyCheck: false);
                    break;
            }
            return expr.Type;
        }

        private void Visit(Aggregation aggregation)
        {
            Expect(aggregation.Inner, PromType.Vector, "aggregation expression");
            if (aggregation.Param is not null)
            {
                Expect(aggregation.Param, aggregation.Op == AggregateOp.CountValues ? PromType.String : PromType.Scalar, "aggregation parameter");
            }
        }

        private PromType Visit(BinaryExpr binary)
        {
            PromType left = Visit(binary.Left);
            PromType right = Visit(binary.Right);
            if (binary.ReturnBool && !binary.Op.IsComparison())
            {
                Report(binary.OpSpan, "bool modifier can only be used on comparison operators");
            }
            if (binary.Op.IsComparison() && !binary.ReturnBool && left == PromType.Scalar && right == PromType.Scalar)
            {
                Report(binary.OpSpan, "comparisons between scalars must use BOOL modifier");
            }
            VectorMatching matching = binary.Matching;
            if (matching.On && matching.Labels.FirstOrDefault(matching.Include.Contains) is { } twice)
            {
                Report(binary.OpSpan, $"label {StringSyntax.Quote(twice)} must not occur in ON and GROUP clause at once");
            }
            foreach ((Expr side, PromType type) in new[] { (binary.Left, left), (binary.Right, right) })
            {
                if (type is not (PromType.Scalar or PromType.Vector))
                {
                    Report(side.Span, "binary expression must contain only scalar and instant vector types");
                }
            }
            if (left != PromType.Vector || right != PromType.Vector)
            {
                if (matching.Labels.Length > 0)
                {
                    Report(binary.Span, "vector matching only allowed between instant vectors");
                }
                if (binary.Op.IsSet() && (left == PromType.Scalar || right == PromType.Scalar))
                {
                    Report(binary.Span, $"set operator \"{binary.Op.Text()}\" not allowed in binary scalar expression");
                }
            }
            else if (binary.Op.IsSet() && matching.Card != MatchCardinality.ManyToMany)
            {
                Report(binary.Span, $"no grouping allowed for \"{binary.Op.Text()}\" operation");
            }
            return left == PromType.Scalar && right == PromType.Scalar ? PromType.Scalar : PromType.Vector;
        }

        private void Visit(Call call)
        {
            Function function = call.Function;
            int given = call.Args.Length;
            if (function.Variadic == 0 && given != function.Args.Length)
            {
                Report(call.Span, $"expected {function.Args.Length} argument(s) in call to \"{function.Name}\", got {given}");
            }
            else if (given < function.MinArgs)
            {
                Report(call.Span, $"expected at least {function.MinArgs} argument(s) in call to \"{function.Name}\", got {given}");
            }
            else if (given > function.MaxArgs)
            {
                Report(call.Span, $"expected at most {function.MaxArgs} argument(s) in call to \"{function.Name}\", got {given}");
            }
            for (int i = 0; i < given; i++)
            {
                if (i >= function.Args.Length && function.Variadic == 0)
                {
                    break;
                }
                if (function.Name == "info" && i == 1)
                {
                    CheckInfoSelector(call.Args[1]);
                    continue;
                }
                Expect(call.Args[i], function.Args[Math.Min(i, function.Args.Length - 1)], $"call to function \"{function.Name}\"");
            }
        }

        /// <summary>The second argument of info() names labels to take: a selector without a metric name, which may be empty.</summary>
        private void CheckInfoSelector(Expr arg)
        {
            if (arg is VectorSelector { Name: "" } selector)
            {
                Visit(selector, bypassEmptyCheck: true);
            }
            else
            {
                Report(arg.Span, "expected label selectors only as the second argument of info(), without a metric name");
            }
        }

        private void Visit(VectorSelector selector, bool bypassEmptyCheck)
        {
            if (selector.Name.Length > 0)
            {
                if (selector.Matchers.FirstOrDefault(m => m.Name == LabelMatcher.MetricNameLabel) is { } second)
                {
                    Report(selector.Span, $"metric name must not be set twice: \"{selector.Name}\" or {StringSyntax.Quote(second.Value)}");
                }
            }
            else if (!bypassEmptyCheck && selector.Matchers.All(m => m.MatchesEmpty))
            {
                Report(selector.Span, "vector selector must contain at least one non-empty matcher");
            }
        }

        private void Expect(Expr expr, PromType wanted, string context)
        {
            PromType type = Visit(expr);
            if (type != wanted)
            {
                Report(expr.Span, $"expected type {wanted.Describe()} in {context}, got {type.Describe()}");
            }
        }

        private void Report(TextSpan span, string message) => errors.Add(new SyntaxError(span, message, "promql/type"));
    }
}
