package ai.epitome.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DescriptionLengthTest {
    /// 1,000 bytes: 2 bits a byte with a model of 30,000 bytes, 3 bits a byte without one. Each byte of text saves an
    /// eighth of a byte, so 240,000 bytes have saved the model.
    @Test
    void breaksEvenWhereTheSavingsAreTheModel() {
        DescriptionLength model = new DescriptionLength(1_000, 250, 30_000);
        DescriptionLength tool = new DescriptionLength(1_000, 375, 0);
        assertThat(model.bitsPerByte()).isEqualTo(2);
        assertThat(model.total()).isEqualTo(30_250);
        assertThat(model.totalBitsPerByte()).isEqualTo(242);
        assertThat(model.breakEven(tool)).hasValue(240_000);
        assertThat(model.breakEven(new DescriptionLength(1_000, 375, 10_000))).hasValue(160_000);
        assertThat(model.breakEven(new DescriptionLength(1_000, 375, 40_000))).hasValue(0);
        assertThat(model.breakEven(new DescriptionLength(1_000, 257, 0))).hasValue(4_285_715); // 30,000,000 / 7, up
    }

    @Test
    void neverWhereTheRateIsNoBetter() {
        DescriptionLength model = new DescriptionLength(1_000, 250, 1);
        assertThat(model.breakEven(new DescriptionLength(1_000, 250, 0))).isEmpty();
        assertThat(model.breakEven(new DescriptionLength(1_000, 249, 0))).isEmpty();
        assertThat(model.breakEven(new DescriptionLength(1_000, 251, 0))).hasValue(1_000);
    }

    @Test
    void aModelIsSentOnceForSeveralTexts() {
        DescriptionLength both =
                new DescriptionLength(1_000, 250, 30_000).plus(new DescriptionLength(3_000, 650, 30_000));
        assertThat(both).isEqualTo(new DescriptionLength(4_000, 900, 30_000));
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        DescriptionLength one = new DescriptionLength(10, 5, 1);
        assertThatThrownBy(() -> new DescriptionLength(0, 5, 1)).hasMessageContaining("a text of 0 bytes");
        assertThatThrownBy(() -> one.breakEven(new DescriptionLength(11, 5, 1))).hasMessageContaining("10 and 11");
        assertThatThrownBy(() -> one.plus(new DescriptionLength(10, 5, 0))).hasMessageContaining("two models");
    }
}
