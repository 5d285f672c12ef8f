package ai.epitome.train.policy;

import ai.epitome.train.task.Task;
import java.util.Optional;

/// What a model answers.
///
/// @param tokens that it goes on from
/// @param text the same for a person, and for rewards that read text
/// @param goesOn whether it is a text that goes on as it stands, and no request
/// @param task whose answer can be checked, where it is one
public record Prompt(int[] tokens, String text, boolean goesOn, Optional<Task> task) {}
