package ai.epitome.train;

/// Training cannot begin or go on. The message says why, where it stood, and what to do; the last whole checkpoint is
/// untouched.
public final class TrainingException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public TrainingException(String message) {
        super(message);
    }

    public TrainingException(String message, Throwable cause) {
        super(message, cause);
    }
}
