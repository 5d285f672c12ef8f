package ai.epitome.serve.conversation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The messages of a conversation. A message's parent has a smaller number, so that there is always a way to the root.
public final class MessageTree {
    private final List<Message> messages;
    private final Map<Integer, Message> byNumber;

    public MessageTree(List<Message> messages) {
        this.messages = List.copyOf(messages);
        this.byNumber = messages.stream().collect(Collectors.toMap(Message::number, Function.identity()));
    }

    /// In the order in which they were written.
    public List<Message> messages() {
        return messages;
    }

    public Optional<Message> find(int number) {
        return Optional.ofNullable(byNumber.get(number));
    }

    /// The messages from the first one to `number`; none for 0.
    public List<Message> path(int number) {
        List<Message> path = new ArrayList<>();
        for (Message next = byNumber.get(number); next != null; next = byNumber.get(next.parent())) {
            path.add(next);
        }
        Collections.reverse(path);
        return path;
    }

    /// The messages that have this parent, the oldest first.
    public List<Message> children(int number) {
        return messages.stream().filter(message -> message.parent() == number).toList();
    }
}
