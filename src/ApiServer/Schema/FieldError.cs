namespace OptiInfra.ApiServer.Schema;

/// <summary>What is wrong with a field; the names are the reasons a Status gives for a cause.</summary>
internal enum FieldErrorType
{
    Required,
    Duplicate,
    Invalid,
    TypeInvalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    NotFound,
    Internal,
}

/// <summary>
/// One thing that is wrong with an object. <paramref name="BadValue"/> is the value as the message shows it (strings
/// already quoted, objects already printed), null where the kind of error shows none.
/// </summary>
internal sealed record FieldError(FieldErrorType Type, string Field, string? BadValue, string Detail)
{
    public static FieldError Required(string field, string detail = "") => new(FieldErrorType.Required, field, null, detail);

    public static FieldError Forbidden(string field, string detail) => new(FieldErrorType.Forbidden, field, null, detail);

    public static FieldError Invalid(string field, string badValue, string detail) => new(FieldErrorType.Invalid, field, badValue, detail);

    public static FieldError NotSupported(string field, string badValue, string detail) => new(FieldErrorType.NotSupported, field, badValue, detail);

    public static FieldError Duplicate(string field, string badValue) => new(FieldErrorType.Duplicate, field, badValue, "");

    /// <summary>The reason of the cause in a Status.</summary>
    public string Reason => Type switch
    {
        FieldErrorType.TooMany => "FieldValueTooMany",
        FieldErrorType.Internal => "InternalError",
        _ => "FieldValue" + Type,
    };

    /// <summary>The text of the cause: everything but the field.</summary>
    public string Message
    {
        get
        {
            string head = Type switch
            {
                FieldErrorType.Required => "Required value",
                FieldErrorType.Duplicate => "Duplicate value",
                FieldErrorType.NotSupported => "Unsupported value",
                FieldErrorType.Forbidden => "Forbidden",
                FieldErrorType.TooLong => "Too long",
                FieldErrorType.TooMany => "Too many",
                FieldErrorType.NotFound => "Not found",
                FieldErrorType.Internal => "Internal error",
                _ => "Invalid value",
            };
            string value = BadValue is null ? "" : ": " + BadValue;
            string detail = Detail.Length == 0 ? "" : ": " + Detail;
            return head + value + detail;
        }
    }
}
