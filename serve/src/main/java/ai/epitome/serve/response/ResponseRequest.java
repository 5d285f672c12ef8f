package ai.epitome.serve.response;

import ai.epitome.serve.completion.ChatRequest;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// A checked request for a response.
///
/// @param chat how to answer; its conversation has tools and no messages yet
/// @param input items that are new
/// @param instructions what the model is told first, this time only
/// @param previous the response that it goes on from
/// @param conversation the conversation that it belongs to; not both
/// @param store whether the response is kept
/// @param background whether it is made while nobody waits
/// @param shortens whether messages are left out where the conversation is too long
/// @param echoed fields of the request as the response repeats them
public record ResponseRequest(
        ChatRequest chat,
        List<ObjectNode> input,
        Optional<String> instructions,
        Optional<String> previous,
        Optional<String> conversation,
        boolean store,
        boolean background,
        boolean shortens,
        ObjectNode echoed) {}
