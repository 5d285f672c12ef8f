package ai.epitome.train.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads the JSON objects of files one after another: an object a line, or, where a file begins with `[`, the elements
/// of one array. Files may be packed as [Corpus] allows. Holds one object at a time.
public final class RecordReader implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private final List<Corpus.Source> sources;
    private final int longest;
    private final JsonMapper json;
    private final JsonMapper elements;
    private final List<DataFile> filesRead = new ArrayList<>();
    private int nextSource;
    private SourceFile open;
    private Records records;

    /// The objects of one file.
    @FunctionalInterface
    private interface Records {
        /// The next one, or null at the end.
        JsonRecord next() throws IOException;
    }

    RecordReader(List<Corpus.Source> sources, int longest) {
        this.sources = sources;
        this.longest = longest;
        this.json = new JsonMapper(JsonFactory.builder()
                .streamReadConstraints(
                        StreamReadConstraints.builder().maxStringLength(longest).build())
                .build());
        this.elements = json.rebuild()
                .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
    }

    /// The next object, or null after the last.
    ///
    /// @throws CorpusException if a file cannot be read, or holds something that is no object
    public JsonRecord next() throws IOException {
        while (open != null || nextSource < sources.size()) {
            if (open == null) {
                open = SourceFile.open(sources.get(nextSource++));
                records = null;
            }
            JsonRecord record = nextOfFile();
            if (record != null) {
                return record;
            }
            filesRead.add(open.finish(false));
            close();
        }
        return null;
    }

    private JsonRecord nextOfFile() throws IOException {
        try {
            if (records == null) {
                records = records(new BufferedInputStream(open.unpacked(), BUFFER));
            }
            return records.next();
        } catch (CorpusException e) {
            throw e;
        } catch (IOException e) {
            throw open.broken(e);
        }
    }

    private Records records(InputStream in) throws IOException {
        in.mark(BUFFER);
        int first = in.read();
        for (int read = 1; first == ' ' || first == '\n' || first == '\r' || first == '\t'; read++) {
            if (read == BUFFER) {
                break;
            }
            first = in.read();
        }
        in.reset();
        return first == '[' ? array(in) : lines(in);
    }

    private Records lines(InputStream in) {
        TextLines lines = new TextLines(open.name(), in, longest);
        return () -> {
            byte[] line = lines.next();
            if (line == null) {
                return null;
            }
            try {
                return record(lines.number(), json.readTree(line));
            } catch (JacksonException e) {
                throw new CorpusException(
                        "%snot valid JSON: %s; the line begins %s"
                                .formatted(lines.where(), e.getOriginalMessage(), TextLines.shown(line)),
                        e);
            }
        };
    }

    private Records array(InputStream in) {
        JsonParser parser = elements.createParser(in);
        parser.nextToken(); // the bracket
        return () -> {
            try {
                JsonToken token = parser.nextToken();
                if (token == JsonToken.END_ARRAY) {
                    return null;
                }
                long line = parser.currentTokenLocation().getLineNr();
                return record(line, elements.readTree(parser));
            } catch (JacksonException e) {
                throw new CorpusException(
                        "%s, line %d: not valid JSON: %s"
                                .formatted(open.name(), parser.currentLocation().getLineNr(), e.getOriginalMessage()),
                        e);
            }
        };
    }

    private JsonRecord record(long line, JsonNode node) throws CorpusException {
        JsonRecord record = new JsonRecord(open.name(), line, node);
        if (!node.isObject()) {
            throw record.wrong("expected a JSON object, found " + node.getNodeType());
        }
        return record;
    }

    /// The files that were read to their end, in order.
    public List<DataFile> filesRead() {
        return List.copyOf(filesRead);
    }

    @Override
    public void close() throws IOException {
        if (open != null) {
            SourceFile closing = open;
            open = null;
            closing.close();
        }
    }
}
