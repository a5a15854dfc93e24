using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Data;

/// <summary>One label of a series.</summary>
public readonly record struct Label(string Name, string Value);

/// <summary>
/// The identity of a series: labels with distinct names, sorted by name, none of them empty.
/// Immutable, equal by content, with its hash computed once, so that it can be the key of every lookup.
/// </summary>
[SuppressMessage("Design", "CA1036:Override methods on comparable types", Justification = "An order for output only; < has no meaning between label sets.")]
public sealed class Labels : IEquatable<Labels>, IComparable<Labels>, IReadOnlyList<Label>
{
    public const string MetricName = "__name__";
    public const string BucketBound = "le";

    public static readonly Labels Empty = new([]);

    private readonly Label[] sorted;
    private readonly int hash;

    private Labels(Label[] sorted)
    {
        this.sorted = sorted;
        var code = new HashCode();
        foreach (Label label in sorted)
        {
            code.Add(label.Name, StringComparer.Ordinal);
            code.Add(label.Value, StringComparer.Ordinal);
        }
        hash = code.ToHashCode();
    }

    public int Count => sorted.Length;

    public Label this[int index] => sorted[index];

    /// <summary>The value of a label, or "" when the series does not have it, which is the same thing to PromQL.</summary>
    public string this[string name]
    {
        get
        {
            foreach (Label label in sorted)
            {
                if (label.Name == name)
                {
                    return label.Value;
                }
            }
            return "";
        }
    }

    public string Name => this[MetricName];

    /// <summary>Sorts and drops empty values; of a repeated name the last value wins.</summary>
    public static Labels From(IEnumerable<Label> labels)
    {
        var byName = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (Label label in labels)
        {
            byName[label.Name] = label.Value;
        }
        return new Labels([.. byName.Where(pair => pair.Value.Length > 0).Select(pair => new Label(pair.Key, pair.Value))]);
    }

    public static Labels From(IEnumerable<KeyValuePair<string, string>> labels) =>
        From(labels.Select(pair => new Label(pair.Key, pair.Value)));

    /// <summary>With one label set, or removed when the value is empty.</summary>
    public Labels With(string name, string value)
    {
        if (this[name] == value)
        {
            return this;
        }
        var changed = new List<Label>(sorted.Length + 1);
        bool placed = value.Length == 0;
        foreach (Label label in sorted)
        {
            int order = string.CompareOrdinal(label.Name, name);
            if (!placed && order >= 0)
            {
                changed.Add(new Label(name, value));
                placed = true;
            }
            if (order != 0)
            {
                changed.Add(label);
            }
        }
        if (!placed)
        {
            changed.Add(new Label(name, value));
        }
        return new Labels([.. changed]);
    }

    public Labels WithoutName() => Without(MetricName);

    public Labels Without(string name) => Where(label => label.Name != name);

    public Labels Without(IReadOnlyCollection<string> names) => names.Count == 0 ? this : Where(label => !names.Contains(label.Name));

    public Labels Keep(IReadOnlyCollection<string> names) => names.Count == 0 ? Empty : Where(label => names.Contains(label.Name));

    public Labels Where(Func<Label, bool> keep)
    {
        int kept = sorted.Count(keep);
        return kept == sorted.Length ? this : kept == 0 ? Empty : new Labels([.. sorted.Where(keep)]);
    }

    public bool Equals(Labels? other)
    {
        if (ReferenceEquals(this, other))
        {
            return true;
        }
        return other is not null && other.hash == hash && sorted.AsSpan().SequenceEqual(other.sorted);
    }

    public override bool Equals(object? obj) => Equals(obj as Labels);

    public override int GetHashCode() => hash;

    /// <summary>By names and values in turn; a prefix comes first. The order in which range queries answer.</summary>
    public int CompareTo(Labels? other)
    {
        if (other is null)
        {
            return 1;
        }
        int common = Math.Min(sorted.Length, other.sorted.Length);
        for (int i = 0; i < common; i++)
        {
            int order = string.CompareOrdinal(sorted[i].Name, other.sorted[i].Name);
            order = order != 0 ? order : string.CompareOrdinal(sorted[i].Value, other.sorted[i].Value);
            if (order != 0)
            {
                return order;
            }
        }
        return sorted.Length.CompareTo(other.sorted.Length);
    }

    public IEnumerator<Label> GetEnumerator() => ((IEnumerable<Label>)sorted).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => sorted.GetEnumerator();

    /// <summary><c>{__name__="up", job="node"}</c>, the form of Prometheus' own messages.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("{");
        foreach (Label label in sorted)
        {
            text.Append(text.Length > 1 ? ", " : "").Append(IsPlainName(label.Name) ? label.Name : StringSyntax.Quote(label.Name))
                .Append('=').Append(StringSyntax.Quote(label.Value));
        }
        return text.Append('}').ToString();
    }

    /// <summary><c>up{job="node"}</c>, the form people write.</summary>
    public string ToSeriesString()
    {
        string name = Name;
        if (name.Length == 0)
        {
            return ToString();
        }
        if (!IsPlainName(name))
        {
            return $"{{{StringSyntax.Quote(name)}{(Count > 1 ? ", " : "")}{WithoutName().ToString()[1..]}";
        }
        return Count == 1 ? name : name + WithoutName();
    }

    /// <summary>The names every Prometheus release takes unquoted: letters, digits and underscores, no digit first.</summary>
    public static bool IsPlainName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
