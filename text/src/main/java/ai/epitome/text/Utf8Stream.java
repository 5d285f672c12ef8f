package ai.epitome.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Turns a stream of bytes into text, a complete character at a time: tokens may end in the middle of a UTF-8
/// sequence, and what has been shown to a user cannot be taken back.
///
/// ```java
/// var stream = new Utf8Stream();
/// for (int id : ids) {
///     print(stream.push(tokenizer.token(id)));
/// }
/// print(stream.finish());
/// ```
///
/// Bytes that can never become a character turn into U+FFFD as soon as that is certain; an unfinished sequence at
/// the end turns into U+FFFD in [#finish()]. The joined output equals `new String(allBytes, UTF_8)`. Not
/// thread-safe.
public final class Utf8Stream {
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    /// The start of an unfinished sequence, at most three bytes.
    private byte[] pending = new byte[0];

    /// Takes the next bytes and returns the characters that they complete, possibly none.
    public String push(byte... bytes) {
        ByteBuffer input =
                ByteBuffer.allocate(pending.length + bytes.length).put(pending).put(bytes);
        input.flip();
        String text = decode(input, false);
        pending = new byte[input.remaining()];
        input.get(pending);
        return text;
    }

    /// Ends the stream: U+FFFD if a character was left unfinished, else nothing. The object may be used again after.
    public String finish() {
        String text = decode(ByteBuffer.wrap(pending), true);
        decoder.reset();
        pending = new byte[0];
        return text;
    }

    private String decode(ByteBuffer input, boolean end) {
        // A byte never yields more than one char: U+FFFD for a lone bad one, two chars for four bytes.
        CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
        decoder.decode(input, output, end);
        if (end) {
            decoder.flush(output);
        }
        return output.flip().toString();
    }
}
