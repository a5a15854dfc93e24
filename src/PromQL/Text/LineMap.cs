namespace OptiInfra.PromQL.Text;

/// <summary>Turns byte offsets of a UTF-8 text into lines and columns.</summary>
public readonly ref struct LineMap(ReadOnlySpan<byte> text)
{
    private readonly ReadOnlySpan<byte> text = text;

    public TextPosition this[int offset]
    {
        get
        {
            ReadOnlySpan<byte> before = text[..Math.Clamp(offset, 0, text.Length)];
            int lineStart = before.LastIndexOf((byte)'\n') + 1;
            return new TextPosition(before.Count((byte)'\n') + 1, before.Length - lineStart + 1);
        }
    }
}
