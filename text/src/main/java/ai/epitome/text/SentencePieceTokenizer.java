package ai.epitome.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// SentencePiece's BPE (Kudo and Richardson, 2018), the tokenizer of Llama 2 and Mistral: characters are joined by the
/// scores of what they make; what no token spells becomes tokens of single bytes.
///
/// Most of these vocabularies begin words with their space, and want one before the text as well: [#encode(byte[])]
/// puts it there, [#decode] takes it away, [#encodeContinuation] leaves it out. Inside, a space is written U+2581, so
/// text that holds this character comes back with a space.
///
/// A `tokenizer.json` has a list of pairs in place of scores ([PieceMerges]), and its texts are joined by that
/// ([PairMerger]).
///
/// Get one from [ai.epitome.text.file.Tokenizers#load]. Immutable and thread-safe.
public final class SentencePieceTokenizer implements Tokenizer {
    private final List<VocabularyPiece> pieces;
    private final byte[][] bytesOfId;
    private final TokenTable table;
    private final int[] rank;
    private final int[] idOfByte = new int[256];
    private final int unknown;
    private final SpaceRule spaces;
    /// The pairs that are joined, where the file has them in place of scores.
    private final Optional<PieceMerges> merges;

    private final MergeTable mergeTable;
    private final OptionalInt beginOfText;
    /// Whether spaces stand only at the beginnings of tokens, so that words can be joined one by one.
    private final boolean wordsApart;

    private final List<AddedToken> addedTokens = new ArrayList<>();
    private final Map<String, Integer> specialTokens;
    /// User-defined tokens; null if there are none.
    private final AddedTokenMatcher textTokens;

    private final AddedTokenMatcher controlTokens;

    /// @param pieces by id
    /// @param spacePrefix whether a space goes before every text
    /// @param beginOfText the token that goes before every text
    /// @throws IllegalArgumentException if something has no spelling, or there is no such token
    public SentencePieceTokenizer(List<VocabularyPiece> pieces, boolean spacePrefix, OptionalInt beginOfText) {
        this(pieces, SpaceRule.before(spacePrefix), beginOfText, Optional.empty());
    }

    /// @param merges the pairs that are joined, or none where scores say it
    public SentencePieceTokenizer(
            List<VocabularyPiece> pieces, SpaceRule spaces, OptionalInt beginOfText, Optional<PieceMerges> merges) {
        if (pieces.size() > BytePairVocabulary.MOST_TOKENS) {
            throw new IllegalArgumentException(
                    pieces.size() + " tokens; at most " + BytePairVocabulary.MOST_TOKENS + " are allowed");
        }
        this.pieces = List.copyOf(pieces);
        this.spaces = spaces;
        this.merges = merges;
        this.mergeTable = merges.map(PieceMerges::table).orElse(null);
        this.beginOfText = SpecialTokens.requireToken(beginOfText, pieces.size());
        bytesOfId = pieces.stream().map(VocabularyPiece::bytes).toArray(byte[][]::new);
        unknown = sortOut(pieces);
        requireSpelling();
        byte[][] joined = new byte[bytesOfId.length][];
        for (int id = 0; id < joined.length; id++) {
            boolean text = pieces.get(id).type() == VocabularyPiece.Type.NORMAL;
            joined[id] = text && bytesOfId[id].length > 0 ? bytesOfId[id] : null;
        }
        table = new TokenTable(joined);
        wordsApart = Arrays.stream(joined).noneMatch(SentencePieceTokenizer::holdsSpaceBehindWord);
        rank = ranks(pieces);
        specialTokens = SpecialTokens.byName(addedTokens);
        textTokens = SpecialTokens.textMatcher(addedTokens);
        controlTokens = SpecialTokens.controlMatcher(addedTokens);
    }

    /// Fills the tables of all that is not joined, and returns the id of the unknown token, or -1.
    private int sortOut(List<VocabularyPiece> pieces) {
        Arrays.fill(idOfByte, -1);
        int found = -1;
        for (int id = pieces.size() - 1; id >= 0; id--) {
            VocabularyPiece piece = pieces.get(id);
            switch (piece.type()) {
                case BYTE -> idOfByte[bytesOfId[id][0] & 0xFF] = id;
                case UNKNOWN -> found = id;
                case CONTROL -> addedTokens.addFirst(new AddedToken(id, piece.text(), true));
                case USER_DEFINED -> addedTokens.addFirst(new AddedToken(id, written(id), false));
                case NORMAL, UNUSED -> {}
            }
        }
        return found;
    }

    private String written(int id) {
        return new String(bytesOfId[id], StandardCharsets.UTF_8);
    }

    private void requireSpelling() {
        if (unknown < 0 && !spellsAllBytes()) {
            throw new IllegalArgumentException(
                    "the vocabulary has neither a token for each byte nor one for what it cannot spell");
        }
    }

    /// Whether any text has a spelling, so that all come back.
    public boolean spellsAllBytes() {
        return Arrays.stream(idOfByte).allMatch(id -> id >= 0);
    }

    private static boolean holdsSpaceBehindWord(byte[] token) {
        for (int i = 1; token != null && i < token.length; i++) {
            if (token[i] == ' ' && token[i - 1] != ' ') {
                return true;
            }
        }
        return false;
    }

    /// The order of the scores, highest first; equal scores have equal ranks.
    private static int[] ranks(List<VocabularyPiece> pieces) {
        Integer[] order = new Integer[pieces.size()];
        Arrays.setAll(order, id -> id);
        Arrays.sort(
                order,
                Comparator.comparingDouble((Integer id) -> pieces.get(id).score())
                        .reversed());
        int[] ranks = new int[order.length];
        for (int i = 1; i < order.length; i++) {
            boolean same =
                    pieces.get(order[i]).score() == pieces.get(order[i - 1]).score();
            ranks[order[i]] = same ? ranks[order[i - 1]] : i;
        }
        return ranks;
    }

    @Override
    public int vocabularySize() {
        return bytesOfId.length;
    }

    @Override
    public int[] encode(byte[] utf8) {
        var encoding = new Encoding();
        encoding.text(utf8, spaces.prefix());
        return encoding.output.toArray();
    }

    @Override
    public int[] encodeContinuation(byte[] utf8) {
        var encoding = new Encoding();
        encoding.text(utf8, false);
        return encoding.output.toArray();
    }

    /// What follows a control token is encoded as a text of its own, with its own space before it.
    @Override
    public int[] encode(MarkedText text) {
        var encoding = new Encoding();
        MarkedText.Bytes utf8 = text.utf8();
        controlTokens.walk(
                utf8,
                (from, to) -> encoding.text(
                        Arrays.copyOfRange(utf8.bytes(), from, to), spaces.prefix() && (from == 0 || !spaces.first())),
                encoding.output::add);
        return encoding.output.toArray();
    }

    /// One text on its way to ids.
    private final class Encoding {
        final IntList output = new IntList();
        private final ScoreMerger scores = new ScoreMerger(table, rank);
        private final PairMerger pairs = new PairMerger(table, idOfByte, unknown, mergeTable);

        /// Hugging Face finds tokens that are text before spaces are looked at, SentencePiece afterwards.
        void text(byte[] utf8, boolean prefix) {
            if (textTokens != null && merges.isPresent()) {
                textTokens.walk(
                        utf8,
                        0,
                        utf8.length,
                        (from, to) -> {
                            byte[] part = Arrays.copyOfRange(utf8, from, to);
                            byte[] text = withSpaces(part, prefix && (from == 0 || !spaces.first()));
                            plain(text, 0, text.length);
                        },
                        output::add);
                return;
            }
            byte[] text = withSpaces(utf8, prefix);
            if (textTokens == null) {
                plain(text, 0, text.length);
            } else {
                textTokens.walk(text, 0, text.length, (from, to) -> plain(text, from, to), output::add);
            }
        }

        private void plain(byte[] text, int from, int to) {
            int done = from;
            for (int at = from + 1; at < to; at++) {
                if (text[at] == ' ' && (spaces.apart() || wordsApart && text[at - 1] != ' ')) {
                    join(text, done, at);
                    done = at;
                }
            }
            join(text, done, to);
        }

        private void join(byte[] text, int from, int to) {
            if (merges.isPresent()) {
                pairs.merge(text, from, to, output);
                return;
            }
            scores.merge(text, from, to, output, (begin, end) -> {
                for (int at = begin; at < end; at++) {
                    int id = idOfByte[text[at] & 0xFF];
                    if (id < 0) {
                        output.add(unknown); // one for the whole character
                        return;
                    }
                    output.add(id);
                }
            });
        }
    }

    /// A space for each U+2581, and one before the text if asked for.
    private byte[] withSpaces(byte[] text, boolean prefix) {
        byte[] result = new byte[text.length + 1];
        result[0] = ' ';
        int length = prefix && text.length > 0 ? 1 : 0;
        for (int at = 0; at < text.length; at++) {
            if (text[at] == (byte) 0xE2
                    && at + 2 < text.length
                    && text[at + 1] == (byte) 0x96
                    && text[at + 2] == (byte) 0x81) {
                result[length++] = ' ';
                at += 2;
            } else {
                result[length++] = text[at];
            }
        }
        boolean twice = spaces.missing() && prefix && length > 1 && result[1] == ' ';
        return Arrays.copyOfRange(result, twice ? 1 : 0, length);
    }

    @Override
    public byte[] token(int id) {
        return bytesOfId[id].clone();
    }

    /// Without the space that encoding puts before a text.
    @Override
    public byte[] decode(int... ids) {
        var bytes = new ByteArrayOutputStream(ids.length * 4);
        for (int id : ids) {
            bytes.writeBytes(bytesOfId[id]);
        }
        byte[] text = bytes.toByteArray();
        boolean prefixed = spaces.prefix() && text.length > 0 && text[0] == ' ';
        return prefixed ? Arrays.copyOfRange(text, 1, text.length) : text;
    }

    /// The vocabulary by id.
    public List<VocabularyPiece> pieces() {
        return pieces;
    }

    /// Whether a space goes before every text.
    public boolean spacePrefix() {
        return spaces.prefix();
    }

    public SpaceRule spaces() {
        return spaces;
    }

    public Optional<PieceMerges> merges() {
        return merges;
    }

    public List<AddedToken> addedTokens() {
        return addedTokens;
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
        return "sentencepiece";
    }
}
