package ai.epitome.train.chat;

import java.util.List;

/// Turns in their order, of which one or more are learned.
///
/// @param turns not empty; a system turn comes first
public record TrainingConversation(List<Turn> turns) {
    public TrainingConversation {
        turns = List.copyOf(turns);
    }

    /// Whether there is something to learn.
    public boolean teaches() {
        return turns.stream().anyMatch(Turn::learned);
    }

    /// Whether it begins with what the system says.
    public boolean hasSystem() {
        return !turns.isEmpty() && turns.getFirst().speaker() == Speaker.SYSTEM;
    }
}
