package ai.epitome.serve.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LeaseRenewalTest {
    private static final Duration OFTEN = Duration.ofMillis(1);

    /// A database that is away for a moment does not cost the lease.
    @Test
    void oneThatFailsIsTriedAgain() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        CountDownLatch third = new CountDownLatch(1);
        try (var _ = new LeaseRenewal("work", OFTEN, () -> {
            if (tries.incrementAndGet() < 3) {
                throw new IllegalStateException("no database");
            }
            third.countDown();
        })) {
            assertThat(third.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    /// Or a lease that is given back at the end would be taken again.
    @Test
    void noneIsUnderWayBehindTheEnd() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch closing = new CountDownLatch(1);
        AtomicBoolean ended = new AtomicBoolean();
        AtomicBoolean interrupted = new AtomicBoolean();
        LeaseRenewal renewal = new LeaseRenewal("work", OFTEN, () -> {
            begun.countDown();
            try {
                closing.await();
                Thread.sleep(50);
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
            ended.set(true);
        });
        assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
        closing.countDown();
        renewal.close();
        assertThat(ended).isTrue();
        assertThat(interrupted).isFalse();
    }
}
