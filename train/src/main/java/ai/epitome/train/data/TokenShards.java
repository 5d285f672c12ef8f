package ai.epitome.train.data;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// One side of a [Dataset] as a single sequence of tokens, memory-mapped from shard files.
///
/// Where the tokenizer has an end-of-text token `E`, the documents `a b c` and `d e` are stored as `E a b c E d e E`:
/// every document begins with `E`, and one `E` closes the sequence. Without such a token they follow one another.
///
/// Reading is safe for use by several threads. After [#close] every reading method throws `IllegalStateException`.
public final class TokenShards implements AutoCloseable {
    private final Arena arena;
    private final List<TokenShard> shards;
    private final TokenTable table;
    // Of shard i: tokens and documents in the shards before it. One entry more for the totals.
    private final long[] firstToken;
    private final long[] firstDocument;
    private final long bytes;

    private TokenShards(Arena arena, List<TokenShard> shards, TokenTable table) {
        this.arena = arena;
        this.shards = shards;
        this.table = table;
        this.firstToken = new long[shards.size() + 1];
        this.firstDocument = new long[shards.size() + 1];
        long sum = 0;
        for (int i = 0; i < shards.size(); i++) {
            TokenShard.Header header = shards.get(i).header();
            firstToken[i + 1] = firstToken[i] + header.tokens();
            firstDocument[i + 1] = firstDocument[i] + header.documents();
            sum += header.bytes();
        }
        this.bytes = sum;
    }

    /// Opens shard files in order.
    ///
    /// @throws CorpusException if one is truncated, damaged, or of another tokenizer or corpus
    static TokenShards open(List<Path> files, TokenTable table, String corpus) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            List<TokenShard> shards = new ArrayList<>();
            for (Path file : files) {
                shards.add(TokenShard.open(file, arena, table.sha256(), corpus));
            }
            return new TokenShards(arena, List.copyOf(shards), table);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /// How many tokens there are, end-of-text tokens included.
    public long tokens() {
        return firstToken[shards.size()];
    }

    /// How many documents there are.
    public long documents() {
        return firstDocument[shards.size()];
    }

    /// Bytes of text that the tokens stand for.
    public long bytes() {
        return bytes;
    }

    /// The tokenizer's table.
    public TokenTable table() {
        return table;
    }

    /// Copies tokens `from .. from + count - 1` to `target[offset ..]`.
    ///
    /// @throws IndexOutOfBoundsException if they are not all inside the sequence
    public void read(long from, int count, int[] target, int offset) {
        if (from < 0 || count < 0 || from + count > tokens()) {
            throw new IndexOutOfBoundsException("tokens %d to %d of %d".formatted(from, from + count, tokens()));
        }
        int shard = indexOf(firstToken, from);
        for (int done = 0; done < count; shard++) {
            long inside = from + done - firstToken[shard];
            int here = (int) Math.min(count - done, shards.get(shard).tokens() - inside);
            shards.get(shard).read(inside, here, target, offset + done);
            done += here;
        }
    }

    /// Tokens `from .. from + count - 1` in a new array.
    public int[] read(long from, int count) {
        int[] tokens = new int[count];
        read(from, count, tokens, 0);
        return tokens;
    }

    /// The index of the first token of a document (its leading end-of-text token, where there is one);
    /// for `document == documents()` the index after the last document's last token.
    public long documentStart(long document) {
        if (document == documents()) {
            return tokens() - (table.endOfText().isPresent() ? 1 : 0);
        }
        int shard = indexOf(firstDocument, document);
        return firstToken[shard] + shards.get(shard).documentStart(document - firstDocument[shard]);
    }

    @Override
    public void close() {
        arena.close();
    }

    private static int indexOf(long[] firsts, long index) {
        int found = Arrays.binarySearch(firsts, index);
        // An empty shard repeats its number; the last of equal entries is the one that holds the index.
        int shard = found >= 0 ? found : -found - 2;
        while (shard + 1 < firsts.length - 1 && firsts[shard + 1] <= index) {
            shard++;
        }
        return shard;
    }
}
