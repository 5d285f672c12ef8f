package ai.epitome.serve.moderation.training;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A table of texts with a score of how toxic each is, such as InstructGPT's samples on
/// RealToxicityPrompts: comma-separated values with a heading that has `sample` and `toxicity`.
public final class ToxicityTable {
    private static final double TOXIC = 0.5;

    /// @param toxic whether its score is 0.5 or more
    public record Row(String text, boolean toxic) {}

    private ToxicityTable() {}

    /// @throws IOException when the file cannot be read, or has no such columns
    public static List<Row> read(Path file) throws IOException {
        try (Reader reader = LabelledTexts.open(file)) {
            List<List<String>> records = records(reader);
            List<String> heading = records.isEmpty() ? List.of() : records.getFirst();
            int text = heading.indexOf("sample");
            int toxicity = heading.indexOf("toxicity");
            if (text < 0 || toxicity < 0) {
                throw new IOException(file + ": expected columns 'sample' and 'toxicity', found " + heading);
            }
            List<Row> rows = new ArrayList<>();
            for (List<String> fields : records.subList(1, records.size())) {
                if (fields.size() != heading.size()) {
                    throw new IOException(file + ", record " + (rows.size() + 1) + ": expected " + heading.size()
                            + " fields, found " + fields.size());
                }
                rows.add(new Row(fields.get(text), Double.parseDouble(fields.get(toxicity)) >= TOXIC));
            }
            return rows;
        }
    }

    /// Fields may stand between quotation marks, have line ends in them, and double marks for one.
    private static List<List<String>> records(Reader reader) throws IOException {
        List<List<String>> records = new ArrayList<>();
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        boolean closing = false;
        for (int sign = reader.read(); sign >= 0; sign = reader.read()) {
            if (quoted && !closing && sign == '"') {
                closing = true;
            } else if (quoted && (!closing || sign == '"')) {
                field.append((char) sign);
                closing = false;
            } else if (sign == '"' && field.isEmpty() && !closing) {
                quoted = true;
            } else if (sign == ',' || sign == '\n') {
                fields.add(field.toString());
                field.setLength(0);
                quoted = false;
                closing = false;
                if (sign == '\n') {
                    records.add(fields);
                    fields = new ArrayList<>();
                }
            } else if (sign != '\r') {
                field.append((char) sign);
            }
        }
        if (!fields.isEmpty()) {
            fields.add(field.toString());
            records.add(fields);
        }
        return records;
    }
}
