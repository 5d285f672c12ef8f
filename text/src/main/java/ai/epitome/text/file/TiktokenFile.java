package ai.epitome.text.file;

import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.TokenTable;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/// tiktoken's rank files: a line for each token, its bytes in Base64, a space, and its rank, which is its id.
/// Splitting pattern and control tokens are not in the file.
final class TiktokenFile {
    private static final int LONGEST_LINE = 2 * BytePairVocabulary.LONGEST_TOKEN;

    private TiktokenFile() {}

    /// Bytes by id; null where the file has no token.
    static byte[][] read(InputStream input, String where) throws IOException {
        var reader = new BufferedReader(new InputStreamReader(input, StandardCharsets.ISO_8859_1));
        byte[][] tokens = new byte[1024][];
        int size = 0;
        int number = 0;
        for (String line = BoundedLines.next(reader, LONGEST_LINE, where);
                line != null;
                line = BoundedLines.next(reader, LONGEST_LINE, where)) {
            number++;
            if (line.isEmpty()) {
                continue;
            }
            int id = id(line, where + ", line " + number);
            if (id >= tokens.length) {
                tokens = Arrays.copyOf(tokens, Math.max(id + 1, 2 * tokens.length));
            }
            if (tokens[id] != null) {
                throw new MalformedTokenizerException(where + ", line " + number, "rank " + id + " appears twice");
            }
            tokens[id] = bytes(line, where + ", line " + number);
            size = Math.max(size, id + 1);
        }
        return distinct(Arrays.copyOf(tokens, size), where);
    }

    private static int id(String line, String where) throws MalformedTokenizerException {
        String rank = line.substring(line.indexOf(' ') + 1);
        if (!rank.matches("[0-9]{1,7}") || Integer.parseInt(rank) >= BytePairVocabulary.MOST_TOKENS) {
            throw new MalformedTokenizerException(
                    where,
                    "expected Base64, a space, and a rank below " + BytePairVocabulary.MOST_TOKENS + ", found '"
                            + line.substring(0, Math.min(line.length(), 60)) + "'");
        }
        return Integer.parseInt(rank);
    }

    private static byte[] bytes(String line, String where) throws MalformedTokenizerException {
        int space = line.indexOf(' ');
        try {
            byte[] bytes = Base64.getDecoder().decode(line.substring(0, Math.max(space, 0)));
            if (bytes.length > 0) {
                return bytes;
            }
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
        throw new MalformedTokenizerException(where, "the token has no bytes");
    }

    private static byte[][] distinct(byte[][] tokens, String where) throws MalformedTokenizerException {
        var table = new TokenTable(tokens);
        for (int id = 0; id < tokens.length; id++) {
            if (tokens[id] != null && table.find(tokens[id]) != id) {
                throw new MalformedTokenizerException(
                        where, "ranks " + table.find(tokens[id]) + " and " + id + " have the same bytes");
            }
        }
        return tokens;
    }

    /// Writes the tokens that merges make, with their ids as ranks.
    static void write(BytePairVocabulary vocabulary, OutputStream output) throws IOException {
        Base64.Encoder base64 = Base64.getEncoder();
        for (int id = 0; id < vocabulary.size(); id++) {
            byte[] token = vocabulary.token(id);
            if (token != null) {
                String line = base64.encodeToString(token) + " " + id + "\n";
                output.write(line.getBytes(StandardCharsets.US_ASCII));
            }
        }
    }
}
