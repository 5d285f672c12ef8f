package ai.epitome.train.chat;

/// Who speaks.
public enum Speaker {
    /// Tells the assistant how to behave, before anything else.
    SYSTEM("system"),
    USER("user"),
    ASSISTANT("assistant");

    private final String role;

    Speaker(String role) {
        this.role = role;
    }

    /// As templates write it.
    public String role() {
        return role;
    }
}
