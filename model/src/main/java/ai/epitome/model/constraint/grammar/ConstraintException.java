package ai.epitome.model.constraint.grammar;

/// A grammar, regular expression or JSON Schema that cannot be used, or not by this vocabulary: the message says where
/// and why.
public final class ConstraintException extends IllegalArgumentException {
    public ConstraintException(String message) {
        super(message);
    }
}
