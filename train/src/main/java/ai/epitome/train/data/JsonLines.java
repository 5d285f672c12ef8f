package ai.epitome.train.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/// Documents from JSON lines: one object a line, the text in its field `text`; other fields are passed over.
final class JsonLines {
    private static final String FIELD = "text";

    private final String name;
    private final InputStream in;
    private final int maximumLine;
    private final JsonFactory factory;
    private final byte[] buffer = new byte[1 << 16];
    private int at;
    private int end;
    private long line;

    JsonLines(String name, InputStream in, int maximumLine) {
        this.name = name;
        this.in = in;
        this.maximumLine = maximumLine;
        this.factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxStringLength(maximumLine)
                        .build())
                .build();
    }

    /// The next document with text, or null at the end.
    Document next() throws IOException {
        for (byte[] bytes = readLine(); bytes != null; bytes = readLine()) {
            if (isBlank(bytes)) {
                continue;
            }
            byte[] text = textOf(bytes);
            if (text.length > 0) {
                return new Document(text, name, line);
            }
        }
        return null;
    }

    private byte[] textOf(byte[] bytes) throws IOException {
        String text = null;
        try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw broken("expected one JSON object with a field \"" + FIELD + "\", found " + shown(bytes));
            }
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                if (!field.equals(FIELD)) {
                    parser.skipChildren();
                } else if (value == JsonToken.VALUE_STRING) {
                    text = parser.getString();
                } else {
                    throw broken("expected a string in the field \"" + FIELD + "\", found " + value);
                }
            }
            if (parser.nextToken() != null) {
                throw broken("expected one JSON object on the line, found more after it");
            }
        } catch (JacksonException e) {
            throw new CorpusException(
                    where() + "not valid JSON: " + e.getOriginalMessage() + "; the line begins " + shown(bytes), e);
        }
        if (text == null) {
            throw broken("expected a field \"" + FIELD + "\" with the document's text, found none in " + shown(bytes));
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /// The bytes up to the next line break or the end, or null where nothing is left.
    private byte[] readLine() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        line++;
        while (fill()) {
            int stop = at;
            while (stop < end && buffer[stop] != '\n') {
                stop++;
            }
            if ((long) bytes.size() + stop - at > maximumLine) {
                throw broken("the line is longer than " + maximumLine + " bytes; cut it into several documents");
            }
            bytes.write(buffer, at, stop - at);
            at = stop + 1;
            if (stop < end) {
                return bytes.toByteArray();
            }
        }
        return bytes.size() == 0 ? null : bytes.toByteArray();
    }

    private boolean fill() throws IOException {
        if (at >= end) {
            at = 0;
            end = Math.max(0, in.read(buffer, 0, buffer.length));
        }
        return end > 0;
    }

    private CorpusException broken(String what) {
        return new CorpusException(where() + what);
    }

    private String where() {
        return name + ", line " + line + ": ";
    }

    private static boolean isBlank(byte[] bytes) {
        for (byte b : bytes) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    private static String shown(byte[] bytes) {
        String start = new String(bytes, 0, Math.min(60, bytes.length), StandardCharsets.UTF_8);
        return "`" + start + (bytes.length > 60 ? "..." : "") + "`";
    }
}
