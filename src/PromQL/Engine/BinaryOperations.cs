using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Engine;

/// <summary>
/// One binary expression. Series find their partners once, by the labels they are matched on; the values are then combined
/// step by step, because which of them exist, and so which matches are ambiguous, may change from step to step.
/// </summary>
internal sealed class BinaryOperations(Evaluator evaluator, BinaryExpr expr, Steps steps)
{
    private readonly BinaryOp op = expr.Op;
    private readonly VectorMatching matching = expr.Matching;

    private bool ChangesMeaning => !op.IsComparison() && !op.IsSet();

    public List<EvalSeries> Eval()
    {
        List<EvalSeries> left = evaluator.Eval(expr.Left, steps);
        List<EvalSeries> right = evaluator.Eval(expr.Right, steps);
        return (expr.Left.Type, expr.Right.Type) switch
        {
            (PromType.Scalar, PromType.Scalar) => [Scalars(left[0], right[0])],
            (PromType.Vector, PromType.Scalar) => WithScalar(left, right[0], swapped: false),
            (PromType.Scalar, PromType.Vector) => WithScalar(right, left[0], swapped: true),
            _ => op.IsSet() ? Sets(left, right) : Vectors(left, right),
        };
    }

    private EvalSeries Scalars(EvalSeries left, EvalSeries right)
    {
        var result = new EvalSeries(Labels.Empty, steps.Count);
        for (int i = 0; i < steps.Count; i++)
        {
            double a = left.Float(i), b = right.Float(i);
            result[i] = op.IsComparison() ? (Compare(a, b) ? 1 : 0) : Compute(a, b);
        }
        return result;
    }

    private List<EvalSeries> WithScalar(List<EvalSeries> vector, EvalSeries scalar, bool swapped)
    {
        bool drop = ChangesMeaning || expr.ReturnBool;
        var result = new List<EvalSeries>(vector.Count);
        foreach (EvalSeries series in vector)
        {
            Labels labels = drop ? evaluator.NameDropped(series.Labels) : series.Labels;
            var output = new EvalSeries(labels, steps.Count) { DropName = drop || series.DropName };
            for (int i = 0; i < steps.Count; i++)
            {
                if (series[i] is not { IsPresent: true } value)
                {
                    continue;
                }
                SampleValue number = scalar.Float(i);
                // A comparison keeps the vector's value, on whichever side it stands.
                output[i] = swapped ? Element(number, value, kept: value) : Element(value, number, kept: value);
            }
            result.Add(output);
        }
        return evaluator.Merged(result, steps);
    }

    /// <summary>The value of a pair, or nothing when a comparison does not hold or the types do not go together.</summary>
    private SampleValue Element(SampleValue left, SampleValue right, SampleValue kept)
    {
        if (left.Histogram is not null || right.Histogram is not null)
        {
            return HistogramElement(left, right, kept);
        }
        if (!op.IsComparison())
        {
            return Compute(left.Float, right.Float);
        }
        bool holds = Compare(left.Float, right.Float);
        return expr.ReturnBool ? (holds ? 1.0 : 0.0) : holds ? kept : SampleValue.None;
    }

    private SampleValue HistogramElement(SampleValue left, SampleValue right, SampleValue kept)
    {
        switch (left.Histogram, right.Histogram, op)
        {
            case (null, { } h, BinaryOp.Mul):
                return SampleValue.Of(h.Times(left.Float).Compact());
            case ({ } h, null, BinaryOp.Mul):
                return SampleValue.Of(h.Times(right.Float).Compact());
            case ({ } h, null, BinaryOp.Div):
                return SampleValue.Of(h.DividedBy(right.Float).Compact());
            case ({ } a, { } b, BinaryOp.Add or BinaryOp.Sub):
                FloatHistogram? sum = op == BinaryOp.Add ? a.Plus(b, out HistogramConflict conflict) : a.Minus(b, out conflict);
                if (sum is null)
                {
                    evaluator.Notes.Warn($"incompatible bucket layout encountered for binary operator {op.Text()}");
                    return SampleValue.None;
                }
                return SampleValue.Of(sum.Compact());
            case ({ } a, { } b, BinaryOp.Equal or BinaryOp.NotEqual):
                bool holds = a.Equals(b) == (op == BinaryOp.Equal);
                return expr.ReturnBool ? (holds ? 1.0 : 0.0) : holds ? kept : SampleValue.None;
            default:
                evaluator.Notes.Inform($"incompatible sample types encountered for binary operator \"{op.Text()}\": "
                    + $"{Kind(left)} {op.Text()} {Kind(right)}");
                return SampleValue.None;
        }
    }

    private static string Kind(SampleValue value) => value.Histogram is null ? "float" : "histogram";

    private double Compute(double a, double b) => op switch
    {
        BinaryOp.Add => a + b,
        BinaryOp.Sub => a - b,
        BinaryOp.Mul => a * b,
        BinaryOp.Div => a / b,
        BinaryOp.Mod => a % b,
        BinaryOp.Pow => GoMath.Pow(a, b),
        _ => GoMath.Atan2(a, b),
    };

    private bool Compare(double a, double b) => op switch
    {
        BinaryOp.Equal => a == b,
        BinaryOp.NotEqual => a != b,
        BinaryOp.Less => a < b,
        BinaryOp.LessOrEqual => a <= b,
        BinaryOp.Greater => a > b,
        _ => a >= b,
    };

    /// <summary>Numbers the matching keys of both sides, so that each step works on integers.</summary>
    private (int[] Left, int[] Right, int Count) Keys(List<EvalSeries> left, List<EvalSeries> right)
    {
        var known = new Dictionary<Labels, int>();
        HashSet<string> names = [.. matching.Labels];
        int[] Number(List<EvalSeries> side) => [.. side.Select(series =>
        {
            Labels key = matching.On ? series.Labels.Keep(names) : series.Labels.WithoutName().Without(names);
            return known.TryGetValue(key, out int number) ? number : known[key] = known.Count;
        })];
        return (Number(left), Number(right), known.Count);
    }

    private List<EvalSeries> Sets(List<EvalSeries> left, List<EvalSeries> right)
    {
        (int[] leftKeys, int[] rightKeys, int count) = Keys(left, right);
        bool isOr = op == BinaryOp.Or;
        List<EvalSeries> result = isOr ? [.. left] : left.ConvertAll(s => new EvalSeries(s.Labels, steps.Count) { DropName = s.DropName });
        List<EvalSeries> added = isOr ? right.ConvertAll(s => new EvalSeries(s.Labels, steps.Count) { DropName = s.DropName }) : [];
        var seen = new bool[count];
        for (int i = 0; i < steps.Count; i++)
        {
            Array.Clear(seen);
            (List<EvalSeries> marks, int[] markKeys) = isOr ? (left, leftKeys) : (right, rightKeys);
            for (int m = 0; m < marks.Count; m++)
            {
                seen[markKeys[m]] |= marks[m].Has(i);
            }
            if (isOr)
            {
                Copy(right, rightKeys, added, i, wanted: false);
            }
            else
            {
                Copy(left, leftKeys, result, i, wanted: op == BinaryOp.And);
            }
        }
        result.AddRange(added);
        result.RemoveAll(series => series.IsEmpty);
        return evaluator.Merged(result, steps);

        void Copy(List<EvalSeries> from, int[] keys, List<EvalSeries> to, int step, bool wanted)
        {
            for (int s = 0; s < from.Count; s++)
            {
                if (seen[keys[s]] == wanted)
                {
                    to[s][step] = from[s][step];
                }
            }
        }
    }

    private List<EvalSeries> Vectors(List<EvalSeries> left, List<EvalSeries> right)
    {
        // The "one" side is looked up; with group_right that is the left one.
        bool swapped = matching.Card == MatchCardinality.OneToMany;
        (List<EvalSeries> many, List<EvalSeries> one) = swapped ? (right, left) : (left, right);
        (int[] manyKeys, int[] oneKeys, int count) = Keys(many, one);
        var output = new MatchedOutput(steps.Count);
        var partner = new int[count];
        var used = new bool[count];
        for (int i = 0; i < steps.Count; i++)
        {
            if (!many.Exists(s => s.Has(i)))
            {
                continue;
            }
            FindPartners(one, oneKeys, partner, i);
            Array.Clear(used);
            output.NextStep();
            for (int m = 0; m < many.Count; m++)
            {
                int key = manyKeys[m];
                if (partner[key] < 0 || many[m][i] is not { IsPresent: true } manyValue)
                {
                    continue;
                }
                SampleValue oneValue = one[partner[key]][i];
                (SampleValue a, SampleValue b) = swapped ? (oneValue, manyValue) : (manyValue, oneValue);
                if (Element(a, b, kept: a) is not { IsPresent: true } value)
                {
                    continue;
                }
                if (matching.Card == MatchCardinality.OneToOne && used[key])
                {
                    throw new EvaluationException("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
                }
                used[key] = true;
                output.Add(m, partner[key], i, value, () => ResultLabels(many[m].Labels, one[partner[key]].Labels), expr.ReturnBool);
            }
        }
        return output.Series;
    }

    private void FindPartners(List<EvalSeries> one, int[] oneKeys, int[] partner, int step)
    {
        Array.Fill(partner, -1);
        for (int o = 0; o < one.Count; o++)
        {
            if (!one[o].Has(step))
            {
                continue;
            }
            int key = oneKeys[o];
            if (partner[key] >= 0)
            {
                string side = matching.Card == MatchCardinality.OneToMany ? "left" : "right";
                HashSet<string> names = [.. matching.Labels];
                Labels group = matching.On ? one[o].Labels.Keep(names) : one[o].Labels.WithoutName().Without(names);
                throw new EvaluationException($"found duplicate series for the match group {group} on the {side} hand-side of the operation: "
                    + $"[{one[o].Labels}, {one[partner[key]].Labels}];many-to-many matching not allowed: matching labels must be unique on one side");
            }
            partner[key] = o;
        }
    }

    private Labels ResultLabels(Labels many, Labels one)
    {
        Labels labels = ChangesMeaning ? evaluator.NameRemoved(many) : many;
        if (matching.Card == MatchCardinality.OneToOne)
        {
            HashSet<string> names = [.. matching.Labels];
            labels = matching.On ? labels.Keep(names) : labels.Without(names);
        }
        foreach (string name in matching.Include)
        {
            labels = labels.With(name, one[name]);
        }
        return expr.ReturnBool ? evaluator.NameDropped(labels) : labels;
    }

    /// <summary>Collects results by their labels; two results with the same labels at one step are a mistake of the query.</summary>
    private sealed class MatchedOutput(int steps)
    {
        private readonly Dictionary<(int Many, int One), int> byPair = [];
        private readonly Dictionary<Labels, int> byLabels = [];
        private readonly HashSet<int> filled = [];

        public List<EvalSeries> Series { get; } = [];

        public void NextStep() => filled.Clear();

        public void Add(int many, int one, int step, SampleValue value, Func<Labels> labels, bool dropName)
        {
            if (!byPair.TryGetValue((many, one), out int index))
            {
                Labels key = labels();
                if (!byLabels.TryGetValue(key, out index))
                {
                    index = Series.Count;
                    byLabels.Add(key, index);
                    Series.Add(new EvalSeries(key, steps) { DropName = dropName });
                }
                byPair.Add((many, one), index);
            }
            if (!filled.Add(index))
            {
                throw new EvaluationException("multiple matches for labels: grouping labels must ensure unique matches");
            }
            Series[index][step] = value;
        }
    }
}
