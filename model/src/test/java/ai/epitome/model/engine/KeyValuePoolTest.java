package ai.epitome.model.engine;

import static ai.epitome.model.engine.Engine.NOBODY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.Models;
import ai.epitome.tensor.attention.KeyValueFormat;
import ai.epitome.tensor.attention.KeyValueMemory;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class KeyValuePoolTest {
    private static final int[] TEXT = Models.tokens(64, 1);

    private final KeyValuePool pool =
            new KeyValuePool(new KeyValueMemory(Arena.ofAuto(), KeyValueFormat.F32, 1, 1, 4, 4));

    /// Publishes the first blocks of the text; their last chain.
    private int[] publish(long root, int count) {
        int[] blocks = new int[count];
        long chain = root;
        for (int i = 0; i < count; i++) {
            blocks[i] = pool.publish(chain, TEXT, 16 * i, pool.take());
            chain = pool.chain(blocks[i]);
        }
        return blocks;
    }

    @Test
    void whatIsReleasedIsFoundAgainUntilItIsNeeded() {
        long root = pool.root(NOBODY, 0, 1);
        int[] blocks = publish(root, 2);
        assertThat(pool.find(root, TEXT, 0)).isEqualTo(blocks[0]);
        assertThat(pool.find(pool.chain(blocks[0]), TEXT, 16)).isEqualTo(blocks[1]);
        assertThat(pool.find(root, TEXT, 16)).isEqualTo(-1); // other tokens
        assertThat(pool.find(pool.chain(blocks[1]), TEXT, 16)).isEqualTo(-1); // another beginning
        for (int user = 0; user < 2; user++) {
            pool.release(blocks[1]);
            pool.release(blocks[0]);
        }
        assertThat(pool.available()).isEqualTo(4);
        assertThat(pool.known()).isEqualTo(2);
        pool.take();
        pool.take(); // never used before
        assertThat(pool.known()).isEqualTo(2);
        assertThat(pool.take()).isEqualTo(blocks[1]); // the oldest
        assertThat(pool.find(pool.chain(blocks[0]), TEXT, 16)).isEqualTo(-1);
        assertThat(pool.find(root, TEXT, 0)).isEqualTo(blocks[0]);
        assertThat(pool.available()).isZero();
        assertThatThrownBy(pool::take).hasMessage("all 4 blocks are in use");
    }

    @Test
    void theSameTextIsKeptOnce() {
        long root = pool.root(NOBODY, 0, 1);
        int first = publish(root, 1)[0];
        int second = pool.take();
        assertThat(pool.publish(root, TEXT, 0, second)).isEqualTo(first);
        assertThat(pool.available()).isEqualTo(3); // the second is free again
        pool.release(first);
        assertThat(pool.known()).isZero(); // it has another user
        pool.release(first);
        assertThat(pool.known()).isEqualTo(1);
        assertThatThrownBy(() -> pool.release(first)).hasMessageContaining("released twice");
    }

    /// It goes on with its own block, and what follows is found behind either.
    @Test
    void theSameTextMayKeepBlocksOfItsOwn() {
        long root = pool.root(NOBODY, 0, 1);
        int first = publish(root, 1)[0];
        CachedSequence sequence = new CachedSequence(pool, 64);
        sequence.share(root);
        sequence.append(Arrays.copyOf(TEXT, 33));
        sequence.reserve(33);
        sequence.advance(33);
        int[] own = sequence.rows(0, 1).blocks();
        sequence.publish(true);
        assertThat(sequence.rows(0, 1).blocks()).isEqualTo(own).doesNotContain(first);
        assertThat(pool.find(pool.chain(first), TEXT, 16)).isEqualTo(own[1]);
        pool.release(own[1]);
        sequence.forget();
        pool.release(first);
        assertThat(pool.available()).isEqualTo(4);
        assertThat(pool.known()).isEqualTo(2);
    }

    @Test
    void ownersAdaptersAndWeightsAreApart() {
        long root = pool.root(NOBODY, 0, 1);
        publish(root, 1);
        assertThat(pool.root(NOBODY, 0, 1)).isEqualTo(root);
        assertThat(pool.find(pool.root("another", 0, 1), TEXT, 0)).isEqualTo(-1);
        assertThat(pool.find(pool.root(NOBODY, 7, 1), TEXT, 0)).isEqualTo(-1);
        assertThat(pool.find(pool.root(NOBODY, 0, 2), TEXT, 0)).isEqualTo(-1);
        assertThat(pool.root(NOBODY, 0, 1)).isNotEqualTo(root); // even if the weights come back
    }

    @Test
    void whatIsSharedIsNotTakenBack() {
        CachedSequence sequence = new CachedSequence(pool, 64);
        sequence.share(pool.root(NOBODY, 0, 1));
        sequence.append(Arrays.copyOf(TEXT, 20));
        sequence.reserve(20);
        sequence.advance(20);
        sequence.publish(false);
        sequence.truncate(17);
        assertThatThrownBy(() -> sequence.truncate(15)).hasMessageContaining("the first 16 tokens are shared");
        CachedSequence other = new CachedSequence(pool, 64);
        other.share(pool.root(NOBODY, 0, 1));
        other.append(Arrays.copyOf(TEXT, 16));
        other.reuse();
        assertThat(other.read()).isZero(); // its last token is still to be read
        other.append(3);
        other.reuse();
        assertThat(other.read()).isEqualTo(16);
        other.forget();
        sequence.forget();
        assertThat(pool.available()).isEqualTo(4);
        assertThat(pool.known()).isEqualTo(1);
    }
}
