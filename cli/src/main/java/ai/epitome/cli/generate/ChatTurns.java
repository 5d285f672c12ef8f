package ai.epitome.cli.generate;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The messages of a conversation, in OpenAI's shapes.
final class ChatTurns {
    private static final int LARGEST_FILE = 1 << 24;
    private static final String ASSISTANT = "assistant";
    private static final String USER = "user";
    private static final String SYSTEM = "system";

    private Optional<String> system;
    private final List<ObjectNode> messages = new ArrayList<>();

    /// @param system what the model is told first
    ChatTurns(Optional<String> system) {
        this.system = system;
    }

    private static ObjectNode message(String role, String content) {
        return Json.MAPPER.createObjectNode().put("role", role).put("content", content);
    }

    void system(Optional<String> text) {
        system = text;
    }

    void user(String text) {
        messages.add(message(USER, text));
    }

    void assistant(String text) {
        messages.add(message(ASSISTANT, text));
    }

    void clear() {
        messages.clear();
    }

    /// How many messages there are, without what the system says.
    int size() {
        return messages.size();
    }

    /// Whether the last message is the user's, so that an answer is due.
    boolean answerIsDue() {
        return !messages.isEmpty() && role(messages.getLast()).equals(USER);
    }

    /// Takes back the last answer, if the last message is one.
    boolean removeAnswer() {
        boolean answer = !messages.isEmpty() && role(messages.getLast()).equals(ASSISTANT);
        if (answer) {
            messages.removeLast();
        }
        return answer;
    }

    /// Takes back the user's last message and what follows it.
    boolean undo() {
        int last = messages.size() - 1;
        while (last >= 0 && !role(messages.get(last)).equals(USER)) {
            last--;
        }
        if (last < 0) {
            return false;
        }
        messages.subList(last, messages.size()).clear();
        return true;
    }

    /// All messages but the oldest `left` ones, behind what the system says.
    List<ObjectNode> without(int left) {
        List<ObjectNode> chosen = new ArrayList<>();
        system.ifPresent(text -> chosen.add(message(SYSTEM, text)));
        chosen.addAll(messages.subList(left, messages.size()));
        return chosen;
    }

    /// Where the turn behind the message at `from` begins: the user's next message, or the last message of all.
    int nextTurn(int from) {
        int at = from + 1;
        while (at < messages.size() - 1 && !role(messages.get(at)).equals(USER)) {
            at++;
        }
        return Math.min(at, messages.size() - 1);
    }

    private static String role(ObjectNode message) {
        return message.path("role").asString("");
    }

    void save(Path file) throws IOException {
        ArrayNode all = Json.MAPPER.createArrayNode();
        all.addAll(without(0));
        String json = Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n";
        WholeFile.write(file, out -> out.write(json.getBytes(StandardCharsets.UTF_8)));
    }

    /// Takes the messages of a file in place of those that are there.
    ///
    /// @throws IOException if it holds no list of messages
    void load(Path file) throws IOException {
        StandardText.requireFile(file);
        if (Files.size(file) > LARGEST_FILE) {
            throw new IOException(
                    "%s has %,d bytes; at most %,d are read".formatted(file, Files.size(file), LARGEST_FILE));
        }
        JsonNode json;
        try {
            json = Json.MAPPER.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new IOException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
        }
        JsonNode list = json.isObject() ? json.path("messages") : json;
        List<ObjectNode> loaded = new ArrayList<>();
        Optional<String> loadedSystem = Optional.empty();
        for (JsonNode one : list.values()) {
            boolean known = one instanceof ObjectNode
                    && Set.of(SYSTEM, USER, ASSISTANT).contains(one.path("role").asString(""))
                    && one.path("content").isString();
            if (!known) {
                throw new IOException(
                        "%s: message %d: expected {\"role\": \"system\", \"user\" or \"assistant\", \"content\": \"...\"}"
                                .formatted(file, loaded.size() + 1));
            }
            if (one.path("role").stringValue().equals(SYSTEM) && loaded.isEmpty()) {
                loadedSystem = Optional.of(one.path("content").stringValue());
            } else {
                loaded.add((ObjectNode) one);
            }
        }
        if (!list.isArray()) {
            throw new IOException(file + ": expected a list of messages, or {\"messages\": [...]}");
        }
        system = loadedSystem;
        messages.clear();
        messages.addAll(loaded);
    }
}
