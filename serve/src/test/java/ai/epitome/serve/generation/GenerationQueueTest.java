package ai.epitome.serve.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.http.ApiException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class GenerationQueueTest {

    @Test
    void servesInTheOrderOfArrivalAndBoundsTheWaiting() throws Exception {
        var queue = new GenerationQueue(1, 5);
        List<Integer> served = Collections.synchronizedList(new ArrayList<>());
        var threads = new ArrayList<Thread>();
        GenerationQueue.Turn first = queue.enter(() -> false);
        for (int i = 0; i < 5; i++) {
            int number = i;
            threads.add(Thread.ofVirtual().start(() -> {
                try (GenerationQueue.Turn turn = queue.enter(() -> false)) {
                    assertThat(turn).isNotNull();
                    served.add(number);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }));
            waitForSize(queue, i + 2);
        }
        assertThatThrownBy(() -> queue.enter(() -> false)).isInstanceOf(ApiException.class);
        Thread.sleep(250); // long enough for every one of them to look twice whether it is still wanted
        first.close();
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(served).containsExactly(0, 1, 2, 3, 4);
        assertThat(queue.size()).isZero();
    }

    @Test
    void whoGeneratesMoreTakesMorePlaces() throws Exception {
        var queue = new GenerationQueue(4, 1);
        GenerationQueue.Turn three = queue.enter(3, () -> false);
        GenerationQueue.Turn one = queue.enter(() -> false);
        var wide = new CompletableFuture<GenerationQueue.Turn>();
        Thread.ofVirtual().start(() -> {
            try {
                wide.complete(queue.enter(100, () -> false)); // all there are
            } catch (InterruptedException e) {
                wide.completeExceptionally(e);
            }
        });
        waitForSize(queue, 3);
        three.close();
        assertThatThrownBy(() -> queue.enter(() -> false))
                .as("nobody overtakes")
                .isInstanceOf(ApiException.class);
        assertThat(wide).isNotDone();
        one.close();
        GenerationQueue.Turn all = wide.get();
        assertThat(queue.size()).isEqualTo(1);
        all.close();
        assertThat(queue.enter(4, () -> false)).isNotNull();
    }

    @Test
    void whoIsNoLongerWantedLeaves() throws Exception {
        var queue = new GenerationQueue(1, 5);
        var abandoned = new AtomicBoolean();
        GenerationQueue.Turn first = queue.enter(() -> false);
        var left = new CompletableFuture<Boolean>();
        Thread.ofVirtual().start(() -> {
            try {
                queue.enter(abandoned::get);
                left.complete(false);
            } catch (CancelledException e) {
                left.complete(true);
            } catch (InterruptedException e) {
                left.completeExceptionally(e);
            }
        });
        waitForSize(queue, 2);
        abandoned.set(true);
        assertThat(left.get()).isTrue();
        assertThat(queue.size()).isEqualTo(1);
        first.close();
        assertThat(queue.size()).isZero();
    }

    @Test
    void withoutAQueueTheFirstIsServedAndTheSecondTurnedAway() throws Exception {
        var queue = new GenerationQueue(1, 0);
        GenerationQueue.Turn turn = queue.enter(() -> false);
        assertThatThrownBy(() -> queue.enter(() -> false)).isInstanceOf(ApiException.class);
        turn.close();
        assertThat(queue.enter(() -> false)).isNotNull();
    }

    private static void waitForSize(GenerationQueue queue, int size) throws InterruptedException {
        for (int i = 0; i < 1_000 && queue.size() != size; i++) {
            Thread.sleep(2);
        }
        assertThat(queue.size()).isEqualTo(size);
    }
}
