package ai.epitome.text;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalInt;

/// Turns bytes into token ids and back. The rest of the system sees only this interface.
///
/// Text is bytes: any bytes, valid UTF-8 or not, encode and decode back unchanged (the one exception is a
/// tokenizer whose file asks for Unicode normalisation, as Qwen's does for NFC, or cannot spell it, see
/// [SentencePieceTokenizer]). *Control tokens* such as `<|endoftext|>` are never produced by
/// [#encode(byte[])], whatever the bytes spell; only [#encode(MarkedText)] makes them, where a template
/// wrote them.
///
/// Implementations are immutable and safe to use from any number of threads.
public interface Tokenizer {

    /// The number of ids: every id is in `[0, vocabularySize())`.
    int vocabularySize();

    /// Encodes plain text. Control tokens never come out, whatever the bytes are.
    int[] encode(byte[] utf8);

    /// Encodes plain text given as a string; an unpaired surrogate becomes `?` as in [String#getBytes()].
    default int[] encode(String text) {
        return encode(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Encodes plain text that goes on from other text: nothing is put before it (see [SentencePieceTokenizer]). The
    /// bytes of its tokens, joined, are the text.
    default int[] encodeContinuation(byte[] utf8) {
        return encode(utf8);
    }

    /// Encodes what a template made: control tokens that the template wrote, wholly and by itself, become their ids;
    /// everything between them is encoded as plain text, whoever wrote it.
    int[] encode(MarkedText text);

    /// The bytes of a token. A token's length is the length of this array; special tokens have length 0, since they
    /// stand for no byte of any text. The array is the caller's own.
    ///
    /// @throws IndexOutOfBoundsException if `id` is not in `[0, vocabularySize())`
    byte[] token(int id);

    /// The bytes that the ids stand for. One token may end in the middle of a character: join bytes, never strings
    /// (see [Utf8Stream]). Special tokens stand for nothing and vanish.
    ///
    /// @throws IndexOutOfBoundsException if an id is not in `[0, vocabularySize())`
    byte[] decode(int... ids);

    /// Names and ids of the control tokens, in ascending order of id.
    Map<String, Integer> specialTokens();

    /// The token that a model of this tokenizer wants before every text, if it wants one (Llama's `<s>`). No encoding
    /// puts it there.
    default OptionalInt beginOfText() {
        return OptionalInt.empty();
    }

    /// The token that separates documents, if there is one.
    OptionalInt endOfText();

    /// `"byte"`, `"bpe"` or `"sentencepiece"`.
    String kind();
}
