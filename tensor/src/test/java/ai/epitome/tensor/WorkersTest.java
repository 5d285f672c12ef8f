package ai.epitome.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void everyTaskRunsOnceAndIsSeen(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int region = 0; region < 3000; region++) {
                int count = region % 23;
                int[] results = new int[count];
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                workers.run(count, (task, _) -> {
                    runs.incrementAndGet(task);
                    results[task] = task + 1;
                });
                for (int task = 0; task < count; task++) {
                    assertThat(runs.get(task)).isEqualTo(1);
                    assertThat(results[task]).isEqualTo(task + 1);
                }
            }
        }
    }

    @Test
    void aFailureIsThrownAndThePoolGoesOn() {
        try (Workers workers = new Workers(2)) {
            for (int round = 0; round < 200; round++) {
                int failing = round % 7;
                assertThatThrownBy(() -> workers.run(7, (task, _) -> {
                            if (task == failing) {
                                throw new IllegalArgumentException("task " + task);
                            }
                        }))
                        .hasMessage("task " + failing);
                assertThatThrownBy(() -> workers.run(7, (task, _) -> {
                            throw new InternalError("gone");
                        }))
                        .isInstanceOf(IllegalStateException.class)
                        .hasRootCauseMessage("gone");
                AtomicInteger ran = new AtomicInteger();
                workers.run(7, (_, _) -> ran.incrementAndGet());
                assertThat(ran).hasValue(7);
            }
        }
    }

    /// Two tasks that wait for each other end only on two threads.
    @Test
    void threadsThatSleepAreWoken() throws InterruptedException {
        try (Workers workers = new Workers(2)) {
            for (int round = 0; round < 5; round++) {
                TimeUnit.MILLISECONDS.sleep(20);
                CyclicBarrier both = new CyclicBarrier(2);
                workers.run(2, (_, _) -> {
                    try {
                        both.await(1, TimeUnit.MINUTES);
                    } catch (Exception e) {
                        throw new IllegalStateException("the other thread did not come", e);
                    }
                });
            }
        }
    }

    /// Here they never come: the pool is closed.
    @Test
    void nobodyWaitsForThreadsThatComeTooLate() {
        Workers workers = new Workers(3);
        workers.close();
        AtomicInteger ran = new AtomicInteger();
        workers.run(10, (_, _) -> ran.incrementAndGet());
        assertThat(ran).hasValue(10);
    }

    @Test
    void smallRowsStayTogether() {
        assertThat(Workers.worthwhile(576, 16)).isEqualTo(3);
        assertThat(Workers.worthwhile(8, 16)).isEqualTo(16);
        assertThat(Workers.worthwhile(100_000, 16)).isEqualTo(1);
    }
}
