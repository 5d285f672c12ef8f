package ai.epitome.model.engine;

import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/// Keeps what an [Engine] has read of a text in a [CacheFile], and gives it to another engine, or to this
/// one after a restart: its blocks are then found as if the text had just been read, by requests without an
/// owner. Files are written and read on the caller's thread, beside the engine's.
public final class SavedCache {
    private final Engine engine;
    private final Transformer model;
    private final Adapter adapter; // or null
    private byte[] fingerprint;
    private long fingerprintOf = -1;

    /// @param model as texts are read, with the adapter where there is one
    /// @param adapter of the engine's model; or null
    public SavedCache(Engine engine, Transformer model, Adapter adapter) {
        this.engine = engine;
        this.model = model;
        this.adapter = adapter;
    }

    /// Keeps the blocks of the beginning of `tokens` that are known; how many tokens that are.
    ///
    /// @throws IllegalStateException when none is known
    public int save(int[] tokens, Path file) throws IOException {
        byte[] hash = fingerprint();
        List<Integer> found = run(pool -> find(pool, tokens));
        if (found.isEmpty()) {
            throw new IllegalStateException("no block of this text has been read: there is nothing to keep");
        }
        int[] blocks = found.stream().mapToInt(Integer::intValue).toArray();
        try {
            int[] known = Arrays.copyOf(tokens, blocks.length * KeyValuePool.BLOCK);
            CacheFile.write(file, hash, known, engine.memory(), blocks);
            return known.length;
        } finally {
            release(blocks);
        }
    }

    private List<Integer> find(KeyValuePool pool, int[] tokens) {
        List<Integer> blocks = new ArrayList<>();
        long chain = engine.root(Engine.NOBODY, adapter);
        for (int from = 0; from + KeyValuePool.BLOCK <= tokens.length; from += KeyValuePool.BLOCK) {
            int block = pool.find(chain, tokens, from);
            if (block < 0) {
                break;
            }
            blocks.add(block);
            chain = pool.chain(block);
        }
        return blocks;
    }

    /// Makes the blocks of a file known; how many tokens they stand for.
    ///
    /// @throws MalformedCacheException when the file is damaged or of another model or format
    /// @throws IllegalStateException when there is no room for them
    public int load(Path file) throws IOException {
        byte[] hash = fingerprint();
        int[] tokens =
                CacheFile.tokens(file, hash, engine.memory(), model.config().vocabulary());
        int count = tokens.length / KeyValuePool.BLOCK;
        int[] blocks = run(pool -> take(pool, count));
        try {
            CacheFile.read(file, engine.memory(), blocks);
        } catch (IOException | RuntimeException | Error e) {
            release(blocks);
            throw e;
        }
        run(pool -> {
            long chain = engine.root(Engine.NOBODY, adapter);
            for (int i = 0; i < blocks.length; i++) {
                blocks[i] = pool.publish(chain, tokens, i * KeyValuePool.BLOCK, blocks[i]);
                chain = pool.chain(blocks[i]);
            }
            return null;
        });
        release(blocks);
        return tokens.length;
    }

    private static int[] take(KeyValuePool pool, int count) {
        if (pool.available() < count) {
            throw new IllegalStateException(
                    "%d blocks of keys and values are to be loaded, but there is room for %d: give the engine more memory"
                            .formatted(count, pool.available()));
        }
        int[] blocks = new int[count];
        Arrays.setAll(blocks, _ -> pool.take());
        return blocks;
    }

    /// The last go first: those before them are found without them, but not they without those.
    private void release(int[] blocks) {
        run(pool -> {
            for (int i = blocks.length - 1; i >= 0; i--) {
                pool.release(blocks[i]);
            }
            return null;
        });
    }

    private <T> T run(Function<KeyValuePool, T> errand) {
        try {
            return engine.run(errand).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /// SHA-256 of the model's shape and weights, its adapter's too. A second or so for a gigabyte, once.
    private synchronized byte[] fingerprint() {
        long changes = model.changes();
        if (fingerprint == null || changes != fingerprintOf) {
            fingerprint = hash();
            fingerprintOf = changes;
        }
        return fingerprint;
    }

    private byte[] hash() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            model.digest(digest);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }
}
