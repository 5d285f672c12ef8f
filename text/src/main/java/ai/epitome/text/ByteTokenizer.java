package ai.epitome.text;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// The tokenizer that does nothing: token `b` is the byte `b`, and control tokens follow from 256 on.
public final class ByteTokenizer implements Tokenizer {
    private static final int BYTES = 256;

    private final List<AddedToken> addedTokens;
    private final Map<String, Integer> specialTokens;

    /// Bytes and `<|endoftext|>` as 256.
    public ByteTokenizer() {
        this(List.of(SpecialTokens.END_OF_TEXT));
    }

    /// Bytes and these control tokens, from 256 on in the given order; the list may be empty.
    ///
    /// @throws IllegalArgumentException if a name is empty or given twice
    public ByteTokenizer(List<String> specialTokens) {
        this.addedTokens = IntStream.range(0, specialTokens.size())
                .mapToObj(i -> new AddedToken(BYTES + i, specialTokens.get(i), true))
                .toList();
        this.specialTokens = SpecialTokens.byName(addedTokens);
        if (this.specialTokens.size() != specialTokens.size()) {
            throw new IllegalArgumentException("special tokens repeat a name: " + specialTokens);
        }
    }

    @Override
    public int vocabularySize() {
        return BYTES + addedTokens.size();
    }

    @Override
    public int[] encode(byte[] utf8) {
        int[] ids = new int[utf8.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = utf8[i] & 0xFF;
        }
        return ids;
    }

    @Override
    public int[] encode(MarkedText text) {
        MarkedText.Bytes utf8 = text.utf8();
        var ids = new IntList(utf8.bytes().length);
        SpecialTokens.controlMatcher(addedTokens)
                .walk(
                        utf8,
                        (from, to) -> {
                            for (int i = from; i < to; i++) {
                                ids.add(utf8.bytes()[i] & 0xFF);
                            }
                        },
                        ids::add);
        return ids.toArray();
    }

    @Override
    public byte[] token(int id) {
        return decode(id);
    }

    @Override
    public byte[] decode(int... ids) {
        var bytes = new ByteArrayOutputStream(ids.length);
        for (int id : ids) {
            if (id < 0 || id >= vocabularySize()) {
                throw new IndexOutOfBoundsException("token id " + id + " is not in [0, " + vocabularySize() + ")");
            }
            if (id < BYTES) {
                bytes.write(id);
            }
        }
        return bytes.toByteArray();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return specialTokens;
    }

    @Override
    public OptionalInt endOfText() {
        return SpecialTokens.endOfText(specialTokens);
    }

    @Override
    public String kind() {
        return "byte";
    }

    /// The same tokenizer with more control tokens behind; names that it already has are left as they are.
    public ByteTokenizer withSpecialTokens(List<String> names) {
        var all = new ArrayList<>(specialTokens.keySet());
        names.stream().filter(name -> !all.contains(name)).forEach(all::add);
        return new ByteTokenizer(all);
    }

    public List<AddedToken> addedTokens() {
        return addedTokens;
    }
}
