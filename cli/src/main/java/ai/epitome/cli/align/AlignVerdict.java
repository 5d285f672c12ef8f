package ai.epitome.cli.align;

import ai.epitome.train.align.Comparison;
import java.util.Locale;

/// Whether an adapter is better than what answers now: the judge prefers more than half of its answers, by more than
/// chance would explain; its answers are not too far from those of now; and plain texts cost little more.
///
/// @param wins part of the answers that the judge prefers; ties are halves
/// @param least lower end of the 95 % interval of that (Wilson 1927)
/// @param divergence of an answer from the model as it is, in nats
/// @param most that it may be
/// @param price part by which plain texts cost more bits; NaN where there are none
record AlignVerdict(double wins, double least, double divergence, double most, double price) {
    private static final double QUANTILE = 1.959964;
    private static final double MOST_PRICE = 0.03;

    /// @param answers that were compared
    /// @param most nats of divergence
    static AlignVerdict of(Comparison.Entry before, Comparison.Entry after, long answers, double most) {
        return new AlignVerdict(
                after.wins(),
                least(after.wins(), answers),
                after.divergence(),
                most,
                after.bitsPerByte() / before.bitsPerByte() - 1);
    }

    /// The lower end of Wilson's interval for a part of `count`.
    static double least(double part, long count) {
        double z = QUANTILE * QUANTILE / count;
        double centre = part + z / 2;
        double width = QUANTILE * Math.sqrt(part * (1 - part) / count + z / (4 * count));
        return (centre - width) / (1 + z);
    }

    boolean better() {
        return least > 0.5 && divergence <= most && !(price > MOST_PRICE);
    }

    String inWords() {
        String told = String.format(
                Locale.ROOT,
                "the judge prefers %.1f %% of the answers (at least %.1f %%), at %.2f nats",
                100 * wins,
                100 * least,
                divergence);
        String plain =
                Double.isNaN(price) ? "" : String.format(Locale.ROOT, ", plain texts cost %+.2f %%", 100 * price);
        return (better() ? "better: " : "not better: ") + told + plain;
    }
}
