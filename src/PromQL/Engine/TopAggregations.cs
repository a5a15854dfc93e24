using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Engine;

/// <summary>topk, bottomk, limitk and limit_ratio: some of the input series as they are, chosen per group and step.</summary>
internal sealed class TopAggregations(Evaluator evaluator, Aggregation aggregation, Steps steps)
{
    private readonly AggregateOp op = aggregation.Op;

    public List<EvalSeries> Eval(List<EvalSeries> input, EvalSeries parameter)
    {
        if (!AnythingWanted(parameter))
        {
            return [];
        }
        var groups = Aggregations.Group(aggregation, input);
        Dictionary<EvalSeries, EvalSeries> outputs = new(ReferenceEqualityComparer.Instance);
        var result = new List<EvalSeries>();
        for (int i = 0; i < steps.Count; i++)
        {
            foreach ((_, List<EvalSeries> members) in groups)
            {
                foreach (EvalSeries chosen in Choose(members, i, parameter.Float(i), input.Count))
                {
                    if (!outputs.TryGetValue(chosen, out EvalSeries? output))
                    {
                        output = new EvalSeries(chosen.Labels, steps.Count) { DropName = chosen.DropName };
                        outputs.Add(chosen, output);
                        result.Add(output);
                    }
                    output[i] = chosen[i];
                }
            }
        }
        return result;
    }

    private bool AnythingWanted(EvalSeries parameter)
    {
        double[] values = [.. Enumerable.Range(0, steps.Count).Select(parameter.Float)];
        if (op != AggregateOp.LimitRatio)
        {
            return values.Any(k => !(k < 1));
        }
        foreach (double outside in new[] { values.Max(), values.Min() }.Where(r => r is > 1 or < -1).Distinct())
        {
            evaluator.Notes.Warn($"ratio value should be between -1 and 1, got {GoNumber.Format(outside)}, capping to {(outside > 0 ? 1 : -1)}");
        }
        return values.Any(r => r != 0);
    }

    private List<EvalSeries> Choose(List<EvalSeries> members, int step, double parameter, int inputs)
    {
        List<EvalSeries> present = members.FindAll(member => member.Has(step));
        if (present.Count == 0)
        {
            return present;
        }
        if (op == AggregateOp.LimitRatio)
        {
            if (double.IsNaN(parameter))
            {
                throw new EvaluationException("Ratio value NaN is NaN");
            }
            double ratio = Math.Clamp(parameter, -1, 1);
            return present.FindAll(member => IsInRatio(member.Labels, ratio));
        }
        if (!(parameter is >= long.MinValue and < 9223372036854774784.0))
        {
            throw new EvaluationException($"Scalar value {GoNumber.Format(parameter)} overflows int64");
        }
        int k = (int)Math.Min((long)parameter, inputs);
        if (k < 1)
        {
            return [];
        }
        return op == AggregateOp.Limitk ? present[..Math.Min(k, present.Count)] : Best(present, step, k);
    }

    private List<EvalSeries> Best(List<EvalSeries> present, int step, int k)
    {
        bool top = op == AggregateOp.Topk;
        var heap = new WorstFirst(step, top, k);
        foreach (EvalSeries series in present)
        {
            if (series[step].Histogram is not null)
            {
                evaluator.Notes.Inform($"ignored histogram in {op.Text()} aggregation");
                continue;
            }
            heap.Offer(series);
        }
        return heap.BestFirst();
    }

    /// <summary>Series are spread over [0, 1) by the hash of their labels, so the same ones are chosen every time.</summary>
    private static bool IsInRatio(Labels labels, double ratio)
    {
        double place = LabelHash.Of(labels) / (double)ulong.MaxValue;
        return ratio >= 0 ? place < ratio : place >= 1 + ratio;
    }

    /// <summary>A binary heap of at most k series with the worst on top, tie for tie as Prometheus keeps it.</summary>
    private sealed class WorstFirst(int step, bool top, int k)
    {
        private readonly List<EvalSeries> items = [];

        public void Offer(EvalSeries series)
        {
            if (items.Count < k)
            {
                items.Add(series);
                Up(items.Count - 1);
                return;
            }
            double worst = items[0].Float(step), value = series.Float(step);
            if ((top ? worst < value : worst > value) || (double.IsNaN(worst) && !double.IsNaN(value)))
            {
                items[0] = series;
                Down(0);
            }
        }

        public List<EvalSeries> BestFirst()
        {
            // An insertion sort: stable, and what Go does for short lists.
            for (int i = 1; i < items.Count; i++)
            {
                for (int j = i; j > 0 && IsWorse(items[j - 1], items[j]); j--)
                {
                    (items[j], items[j - 1]) = (items[j - 1], items[j]);
                }
            }
            return items;
        }

        private bool IsWorse(EvalSeries a, EvalSeries b)
        {
            double x = a.Float(step), y = b.Float(step);
            return double.IsNaN(x) || (top ? x < y : x > y);
        }

        private void Up(int child)
        {
            while (child > 0)
            {
                int parent = (child - 1) / 2;
                if (!IsWorse(items[child], items[parent]))
                {
                    return;
                }
                (items[child], items[parent]) = (items[parent], items[child]);
                child = parent;
            }
        }

        private void Down(int parent)
        {
            while (true)
            {
                int child = 2 * parent + 1;
                if (child >= items.Count)
                {
                    return;
                }
                if (child + 1 < items.Count && IsWorse(items[child + 1], items[child]))
                {
                    child++;
                }
                if (!IsWorse(items[child], items[parent]))
                {
                    return;
                }
                (items[parent], items[child]) = (items[child], items[parent]);
                parent = child;
            }
        }
    }
}
