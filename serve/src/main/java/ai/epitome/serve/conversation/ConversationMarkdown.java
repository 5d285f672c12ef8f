package ai.epitome.serve.conversation;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One branch of a conversation as Markdown that people read and [#parse] takes back.
///
/// ```
/// # Title
///
/// <!-- epitome: user -->
/// **User**
///
/// What is a tensor?
///
/// <!-- epitome: assistant -->
/// **Assistant**
///
/// ...
/// ```
///
/// A comment is what separates messages. A line of a message that looks like one gets a backslash before it, and loses
/// it again.
public final class ConversationMarkdown {
    private static final Pattern SEPARATOR = Pattern.compile("<!-- epitome: (system|user|assistant) -->");
    private static final Pattern ESCAPED = Pattern.compile("\\\\+<!-- epitome: .*");

    private ConversationMarkdown() {}

    /// @param system empty for none
    public record Branch(String title, String system, List<Message> messages) {}

    public static String write(Branch branch) {
        var text = new StringBuilder("# " + branch.title().replace('\n', ' ') + "\n");
        if (!branch.system().isEmpty()) {
            write(text, "system", branch.system());
        }
        branch.messages().forEach(message -> write(text, message.role().word(), message.prompt()));
        return text.toString();
    }

    private static void write(StringBuilder text, String role, String content) {
        text.append("\n<!-- epitome: ").append(role).append(" -->\n**");
        text.append(Character.toUpperCase(role.charAt(0)))
                .append(role, 1, role.length())
                .append("**\n\n");
        for (String line : content.split("\n", -1)) {
            boolean looksAlike =
                    SEPARATOR.matcher(line).matches() || ESCAPED.matcher(line).matches();
            text.append(looksAlike ? "\\" : "").append(line).append('\n');
        }
    }

    /// Takes back what [#write] wrote. Text without separators is one message of the user.
    public static Branch parse(String markdown) {
        String title = "";
        String system = "";
        List<Message> messages = new ArrayList<>();
        String role = "";
        List<String> lines = new ArrayList<>();
        for (String line : (markdown + "\n<!-- epitome: user -->").lines().toList()) {
            Matcher separator = SEPARATOR.matcher(line);
            if (!separator.matches()) {
                lines.add(ESCAPED.matcher(line).matches() ? line.substring(1) : line);
                continue;
            }
            switch (role) {
                case "" -> title = head(lines, messages);
                case "system" -> system = content(lines);
                default -> add(messages, Message.Role.of(role), content(lines));
            }
            role = separator.group(1);
            lines.clear();
        }
        return new Branch(title, system, messages);
    }

    /// What stands before the first separator: a title, and perhaps something that was said.
    private static String head(List<String> lines, List<Message> messages) {
        boolean titled = !lines.isEmpty() && lines.getFirst().startsWith("# ");
        String rest =
                String.join("\n", lines.subList(titled ? 1 : 0, lines.size())).strip();
        if (!rest.isEmpty()) {
            add(messages, Message.Role.USER, rest);
        }
        return titled ? lines.getFirst().substring(2).strip() : "";
    }

    /// Without the name of the role, its empty line, and the empty line before the next separator.
    private static String content(List<String> lines) {
        boolean named = lines.size() > 1
                && lines.getFirst().matches("\\*\\*\\w+\\*\\*")
                && lines.get(1).isEmpty();
        int end = lines.size() > 2 && lines.getLast().isEmpty() ? lines.size() - 1 : lines.size();
        return String.join("\n", lines.subList(named ? 2 : 0, end));
    }

    private static void add(List<Message> messages, Message.Role role, String content) {
        int number = messages.size() + 1;
        messages.add(new Message(
                number, number - 1, role, content, List.of(), Message.State.DONE, "", Message.Used.NOTHING, 0, "", 0));
    }
}
