package ai.epitome.serve;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A request and its answer, as they went over a connection (HTTP/1.1, RFC 9112).
///
/// @param path without its query
/// @param whole whether the answer came to its end; a client may have left before
record Exchange(String method, String path, byte[] asked, int status, String type, byte[] body, boolean whole) {

    /// Those of one connection. A request without an answer is left out.
    static List<Exchange> parse(byte[] asked, byte[] answered) {
        List<Message> requests = messages(asked, false);
        List<Message> answers = messages(answered, true);
        List<Exchange> exchanges = new ArrayList<>();
        for (int i = 0; i < Math.min(requests.size(), answers.size()); i++) {
            String[] line = requests.get(i).first.split(" ");
            exchanges.add(new Exchange(
                    line[0],
                    line[1].replaceFirst("\\?.*", ""),
                    requests.get(i).body,
                    Integer.parseInt(answers.get(i).first.split(" ")[1]),
                    answers.get(i).headers.getOrDefault("content-type", ""),
                    answers.get(i).body,
                    answers.get(i).whole));
        }
        return exchanges;
    }

    boolean streamed() {
        return type.startsWith("text/event-stream");
    }

    private record Message(String first, Map<String, String> headers, byte[] body, boolean whole) {}

    private static List<Message> messages(byte[] bytes, boolean answers) {
        List<Message> messages = new ArrayList<>();
        Cursor cursor = new Cursor(bytes);
        while (cursor.at < bytes.length) {
            String first = cursor.line();
            Map<String, String> headers = new HashMap<>();
            for (String line = cursor.line(); !line.isEmpty(); line = cursor.line()) {
                int colon = line.indexOf(':');
                headers.put(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
            byte[] body = cursor.body(headers, answers);
            messages.add(new Message(first, headers, body, cursor.whole));
        }
        return messages;
    }

    private static final class Cursor {
        private final byte[] bytes;
        private int at;
        private boolean whole = true;

        Cursor(byte[] bytes) {
            this.bytes = bytes;
        }

        String line() {
            int end = at;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            String line = new String(bytes, at, end - at, StandardCharsets.ISO_8859_1).strip();
            at = Math.min(bytes.length, end + 1);
            return line;
        }

        private byte[] take(int count) {
            whole &= count <= bytes.length - at;
            byte[] taken = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + count));
            at += taken.length;
            return taken;
        }

        byte[] body(Map<String, String> headers, boolean answer) {
            if (headers.getOrDefault("transfer-encoding", "").equals("chunked")) {
                return chunks();
            }
            if (headers.containsKey("content-length")) {
                return take(Integer.parseInt(headers.get("content-length")));
            }
            return answer && headers.getOrDefault("connection", "").equals("close")
                    ? take(bytes.length - at)
                    : new byte[0];
        }

        private byte[] chunks() {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            while (true) {
                String size = line();
                if (size.isEmpty()) {
                    whole = false;
                    return body.toByteArray();
                }
                body.writeBytes(take(Integer.parseInt(size, 16)));
                line();
                if (size.equals("0")) {
                    return body.toByteArray();
                }
            }
        }
    }
}
