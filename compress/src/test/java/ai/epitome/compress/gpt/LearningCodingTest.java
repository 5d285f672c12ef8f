package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.mix.MixingSize;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LearningCodingTest {
    private static final Optional<MixingSize> MIXING = Optional.of(new MixingSize(12, 12));

    /// Written with training on another thread, read on one; the second block is stored.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void blocksGoOnFromThoseBefore(boolean mixed) {
        Optional<MixingSize> mixing = mixed ? MIXING : Optional.empty();
        byte[] noise = new byte[200];
        new Random(1).nextBytes(noise);
        byte[] text = Arrays.copyOf(ExactLearnerTest.text(), 700);
        List<byte[]> blocks = List.of(text, noise, new byte[0], text);
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            LearningCoding writing = LearningCoding.of(1000, mixing, other);
            LearningCoding reading = LearningCoding.of(writing.method().settings(), mixing, Runnable::run);
            assertThat(reading.method().settings()).isEqualTo(writing.method().settings());
            assertThat(reading.probe()).isEqualTo(writing.probe());
            BlockCodec encoder = writing.newCodec();
            BlockCodec decoder = reading.newCodec();
            int first = 0;
            for (byte[] block : blocks) {
                byte[] coded = encoder.encode(block);
                if (block == noise) {
                    decoder.learn(block);
                } else {
                    assertThat(decoder.decode(coded, block.length)).isEqualTo(block);
                }
                first = first == 0 ? coded.length : first;
            }
            assertThat(encoder.encode(text).length).isLessThan(first);
        }
    }

    @Test
    void probesTellCodingsApart() {
        LearningCoding alone = LearningCoding.of(1000, Optional.empty(), Runnable::run);
        LearningCoding mixed = LearningCoding.of(1000, MIXING, Runnable::run);
        assertThat(mixed.probe()).hasSize(16).isNotEqualTo(alone.probe());
        assertThat(alone.method().name()).isEqualTo("learning");
        assertThat(mixed.method().name()).isEqualTo("learning + mixed");
        assertThat(mixed.memory()).isGreaterThan(alone.memory());
    }

    @Test
    void networksThatDoNotExistYet() {
        for (byte number : new byte[] {-1, 99}) {
            assertThatThrownBy(() -> LearningCoding.of(new byte[] {number}, Optional.empty(), Runnable::run))
                    .isInstanceOf(MalformedCodeException.class)
                    .hasMessageContaining("number " + number);
        }
    }
}
