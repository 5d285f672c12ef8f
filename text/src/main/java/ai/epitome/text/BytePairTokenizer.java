package ai.epitome.text;

import ai.epitome.text.split.Splitter;
import ai.epitome.text.split.Splitting;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;

/// Byte-level byte-pair encoding (Sennrich et al., 2016; over bytes since GPT-2, Radford et al., 2019, section 2.2).
///
/// Text is normalised if the tokenizer's file asks for it, cut at added tokens that are text, split into pieces by
/// [Splitting], and in each piece adjacent pairs of tokens are merged, lowest rank first. All 256 bytes are tokens, so
/// any input has an encoding.
///
/// Get one from [ai.epitome.text.file.Tokenizers#load] or [BytePairTrainer]. Immutable and thread-safe.
public final class BytePairTokenizer implements Tokenizer {
    /// Encoders hold caches of up to four megabytes; a few wait for the next call, the rest are left to the collector.
    private static final int IDLE_ENCODERS = 8;

    /// An encoder that once held more ids than this is not kept.
    private static final int LARGEST_IDLE_OUTPUT = 1 << 20;

    private final BytePairVocabulary vocabulary;
    private final Splitting splitting;
    private final Normalization normalization;
    private final List<AddedToken> addedTokens;
    private final OptionalInt beginOfText;

    private final Splitter splitter;
    /// Added tokens that are text; null if there are none.
    private final AddedTokenMatcher textTokens;

    private final AddedTokenMatcher controlTokens;

    private final Map<String, Integer> specialTokens;
    private final byte[][] bytesOfId;
    private final Queue<PieceEncoder> idle = new ArrayBlockingQueue<>(IDLE_ENCODERS);

    /// @throws IllegalArgumentException if added tokens repeat an id or a name, or take the id of a text token
    public BytePairTokenizer(
            BytePairVocabulary vocabulary,
            Splitting splitting,
            Normalization normalization,
            List<AddedToken> addedTokens) {
        this(vocabulary, splitting, normalization, addedTokens, OptionalInt.empty());
    }

    private BytePairTokenizer(
            BytePairVocabulary vocabulary,
            Splitting splitting,
            Normalization normalization,
            List<AddedToken> addedTokens,
            OptionalInt beginOfText) {
        this.vocabulary = vocabulary;
        this.splitting = splitting;
        this.normalization = normalization;
        this.addedTokens = addedTokens.stream()
                .sorted(Comparator.comparingInt(AddedToken::id))
                .toList();
        this.splitter = splitting.splitter();
        this.bytesOfId = bytesOfIds(vocabulary, this.addedTokens);
        this.textTokens = SpecialTokens.textMatcher(this.addedTokens);
        this.controlTokens = SpecialTokens.controlMatcher(this.addedTokens);
        this.specialTokens = SpecialTokens.byName(this.addedTokens);
        this.beginOfText = SpecialTokens.requireToken(beginOfText, bytesOfId.length);
    }

    private static byte[][] bytesOfIds(BytePairVocabulary vocabulary, List<AddedToken> addedTokens) {
        int size = Math.max(
                vocabulary.size(),
                addedTokens.isEmpty() ? 0 : addedTokens.getLast().id() + 1);
        if (size > BytePairVocabulary.MOST_TOKENS) {
            throw new IllegalArgumentException(
                    "token id " + (size - 1) + " is too large; ids must be below " + BytePairVocabulary.MOST_TOKENS);
        }
        byte[][] bytes = new byte[size][];
        for (int id = 0; id < size; id++) {
            byte[] token = vocabulary.token(id);
            bytes[id] = token == null ? new byte[0] : token;
        }
        var names = new HashSet<String>();
        int last = -1;
        for (AddedToken token : addedTokens) {
            byte[] same = vocabulary.token(token.id());
            boolean taken = same != null && (token.control() || !Arrays.equals(same, token.bytes()));
            if (taken || token.id() == last || !names.add(token.content())) {
                throw new IllegalArgumentException("added token '" + token.content() + "' with id " + token.id()
                        + " repeats an id or a name that is taken");
            }
            last = token.id();
            bytes[token.id()] = token.special() ? new byte[0] : token.bytes();
        }
        return bytes;
    }

    @Override
    public int vocabularySize() {
        return bytesOfId.length;
    }

    @Override
    public int[] encode(byte[] utf8) {
        return withEncoder(encoder -> encodePlain(normalization.apply(utf8), encoder));
    }

    @Override
    public int[] encode(MarkedText text) {
        MarkedText.Bytes utf8 = text.utf8();
        return withEncoder(encoder -> controlTokens.walk(
                utf8,
                (from, to) -> encodePlain(normalization.apply(Arrays.copyOfRange(utf8.bytes(), from, to)), encoder),
                encoder.output()::add));
    }

    private void encodePlain(byte[] text, PieceEncoder encoder) {
        if (textTokens == null) {
            splitter.split(text, 0, text.length, encoder);
        } else {
            textTokens.walk(
                    text, 0, text.length, (from, to) -> splitter.split(text, from, to, encoder), encoder.output()::add);
        }
    }

    private int[] withEncoder(Consumer<PieceEncoder> use) {
        PieceEncoder encoder = idle.poll();
        if (encoder == null) {
            encoder = new PieceEncoder(vocabulary);
        }
        encoder.output().truncate(0);
        use.accept(encoder);
        int[] ids = encoder.output().toArray();
        if (ids.length <= LARGEST_IDLE_OUTPUT) {
            idle.offer(encoder);
        }
        return ids;
    }

    @Override
    public byte[] token(int id) {
        return bytesOfId[id].clone();
    }

    @Override
    public byte[] decode(int... ids) {
        var bytes = new ByteArrayOutputStream(ids.length * 5);
        for (int id : ids) {
            bytes.writeBytes(bytesOfId[id]);
        }
        return bytes.toByteArray();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return specialTokens;
    }

    @Override
    public OptionalInt beginOfText() {
        return beginOfText;
    }

    @Override
    public OptionalInt endOfText() {
        return SpecialTokens.endOfText(specialTokens);
    }

    @Override
    public String kind() {
        return "bpe";
    }

    /// How text is cut into pieces.
    public Splitting splitting() {
        return splitting;
    }

    /// What is done to text first.
    public Normalization normalization() {
        return normalization;
    }

    /// Tokens beside the merges, in ascending order of id.
    public List<AddedToken> addedTokens() {
        return addedTokens;
    }

    /// The number of merges.
    public int mergeCount() {
        return vocabulary.mergeCount();
    }

    /// The same tokenizer with more control tokens, which take the next free ids in the given order; names that it
    /// already has are left as they are. This is how a base model's tokenizer becomes a chat model's.
    public BytePairTokenizer withSpecialTokens(List<String> names) {
        var tokens = new ArrayList<>(addedTokens);
        int next = vocabularySize();
        for (String name : names) {
            if (tokens.stream().noneMatch(token -> token.content().equals(name))) {
                tokens.add(new AddedToken(next++, name, true));
            }
        }
        return new BytePairTokenizer(vocabulary, splitting, normalization, tokens, beginOfText);
    }

    /// The same tokenizer, which wants this token before every text, or none.
    public BytePairTokenizer withBeginOfText(OptionalInt token) {
        return new BytePairTokenizer(vocabulary, splitting, normalization, addedTokens, token);
    }

    public BytePairVocabulary vocabulary() {
        return vocabulary;
    }
}
