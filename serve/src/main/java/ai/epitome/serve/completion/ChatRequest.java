package ai.epitome.serve.completion;

import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.generation.Sampling;
import ai.epitome.text.chat.Conversation;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import tools.jackson.databind.node.ObjectNode;

/// A checked request for chat completions: every number is within its bounds.
///
/// @param conversation messages, and the tools that the model may call
/// @param maxTokens most tokens of an answer; empty for as many as there is room for
/// @param sampling how to sample; its seed is [#seed()]'s where there is one
/// @param n answers to give
/// @param logprobs alternatives to tell at each position, 0 to 20; empty for no log-probabilities at all
/// @param parallelCalls whether an answer may call several tools
/// @param constraint what the answer must be
public record ChatRequest(
        String model,
        Conversation conversation,
        OptionalInt maxTokens,
        Sampling sampling,
        int n,
        boolean stream,
        boolean includeUsage,
        OptionalInt logprobs,
        List<String> stop,
        OptionalLong seed,
        boolean parallelCalls,
        Optional<Constraint> constraint) {

    /// The same, with these messages.
    public ChatRequest of(List<ObjectNode> messages) {
        return new ChatRequest(
                model,
                new Conversation(messages, conversation.tools(), conversation.settings()),
                maxTokens,
                sampling,
                n,
                stream,
                includeUsage,
                logprobs,
                stop,
                seed,
                parallelCalls,
                constraint);
    }
}
