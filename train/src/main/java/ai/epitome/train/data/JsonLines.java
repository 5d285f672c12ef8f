package ai.epitome.train.data;

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
    private final TextLines lines;
    private final JsonFactory factory;

    JsonLines(String name, InputStream in, int maximumLine) {
        this.name = name;
        this.lines = new TextLines(name, in, maximumLine);
        this.factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxStringLength(maximumLine)
                        .build())
                .build();
    }

    /// The next document with text, or null at the end.
    Document next() throws IOException {
        for (byte[] bytes = lines.next(); bytes != null; bytes = lines.next()) {
            byte[] text = textOf(bytes);
            if (text.length > 0) {
                return new Document(text, name, lines.number());
            }
        }
        return null;
    }

    private byte[] textOf(byte[] bytes) throws IOException {
        String text = null;
        try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw broken(
                        "expected one JSON object with a field \"" + FIELD + "\", found " + TextLines.shown(bytes));
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
                    where() + "not valid JSON: " + e.getOriginalMessage() + "; the line begins "
                            + TextLines.shown(bytes),
                    e);
        }
        if (text == null) {
            throw broken("expected a field \"" + FIELD + "\" with the document's text, found none in "
                    + TextLines.shown(bytes));
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private CorpusException broken(String what) {
        return new CorpusException(where() + what);
    }

    private String where() {
        return lines.where();
    }
}
