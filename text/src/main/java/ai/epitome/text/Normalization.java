package ai.epitome.text;

import ai.epitome.text.split.Utf8;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;

/// The Unicode normalisation that a tokenizer applies to text before anything else. With any but [#NONE], decoding
/// gives back the normalised text. Bytes that are not UTF-8 pass unchanged.
public enum Normalization {
    /// Bytes stay as they are.
    NONE(null),
    /// Canonical composition, as Qwen and GPT-NeoX ask.
    NFC(Normalizer.Form.NFC),
    /// Canonical decomposition.
    NFD(Normalizer.Form.NFD),
    /// Compatibility composition.
    NFKC(Normalizer.Form.NFKC),
    /// Compatibility decomposition.
    NFKD(Normalizer.Form.NFKD);

    private final Normalizer.Form form;

    Normalization(Normalizer.Form form) {
        this.form = form;
    }

    /// The normalised text; the argument itself if nothing changes.
    byte[] apply(byte[] text) {
        if (form == null || Utf8.endOfAscii(text, 0, text.length) == text.length) {
            return text;
        }
        var result = new ByteArrayOutputStream(text.length + 16);
        int at = 0;
        while (at < text.length) {
            int end = endOfValid(text, at);
            if (end == at) {
                result.write(text[at++]);
            } else {
                result.writeBytes(normalize(text, at, end));
                at = end;
            }
        }
        return result.toByteArray();
    }

    private byte[] normalize(byte[] text, int from, int to) {
        String valid = new String(text, from, to - from, StandardCharsets.UTF_8);
        return Normalizer.normalize(valid, form).getBytes(StandardCharsets.UTF_8);
    }

    private static int endOfValid(byte[] text, int from) {
        int at = from;
        while (at < text.length) {
            int length = Utf8.sequenceLength(text, at, text.length);
            if (length == 0) {
                break;
            }
            at += length;
        }
        return at;
    }
}
