package ai.epitome.train.pretrain;

import ai.epitome.train.TrainingConfig;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalDouble;

/// Adds up the steps of a run's log into a [PrequentialCode].
final class PrequentialSum {
    private static final double NATS_PER_BIT = Math.log(2);
    /// A learning rate that followed the clock, and not the number of the step.
    private static final long RATE_BITS = 64;
    /// The length of a document.
    private static final long LENGTH_BITS = 32;

    private final long once;
    private long steps;
    private long tokens;
    private long bytes;
    private double bits;
    private boolean broken; // a step that counts is missing, or does not say what it cost
    private boolean over; // tokens come a second time
    private double read; // tokens of all steps

    private PrequentialSum(long once) {
        this.once = once;
    }

    /// @param log of all steps
    /// @param tokenizerBits length of the tokenizer's file
    static PrequentialCode of(Path log, TrainingConfig training, DataRecord data, int vocabulary, double tokenizerBits)
            throws IOException {
        boolean packed = data.packed().orElse(false);
        long documents = packed ? data.train().documents() : 0;
        // Every token is predicted but the first one; in packed rows, at worst, but the first one of each document.
        long once = data.train().tokens() - Math.max(1, documents);
        if (once < 1) {
            return new PrequentialCode.Unknown("%s does not say how many tokens there were".formatted(DataRecord.FILE));
        }
        PrequentialSum sum = new PrequentialSum(once);
        RunLog.read(log, sum::take);
        if (sum.broken) {
            return new PrequentialCode.Unknown(
                    "%s has no loss of step %,d, and a sum cannot do without".formatted(RunLog.FILE, sum.steps + 1));
        }
        if (sum.bytes == 0) {
            return new PrequentialCode.Unknown(
                    "%s has no step whose tokens were all read for the first time".formatted(RunLog.FILE));
        }
        // Of what goes through the model side by side only the last row, or of packed ones each document's, is shorter.
        long rows = Math.ceilDiv(sum.tokens, (long) training.length()) + Math.max(1, documents);
        double besides = tokenizerBits
                + rows * Math.log(vocabulary) / NATS_PER_BIT
                + (training.seconds() > 0 ? sum.steps * RATE_BITS : 0)
                + documents * LENGTH_BITS;
        double passes = sum.read / once;
        return new PrequentialCode.Code(
                sum.steps, sum.tokens, sum.bytes, sum.bits, besides, passes, training.dropout());
    }

    private static double tokens(RunLog.Entry entry) {
        return entry.number(RunLog.TOKENS).orElse(0);
    }

    private void take(RunLog.Entry entry) {
        read = tokens(entry);
        over |= read > once;
        if (!over && !broken) {
            broken = entry.step() != steps + 1 || !add(entry);
        }
    }

    /// Whether the entry says what its step cost.
    private boolean add(RunLog.Entry entry) {
        OptionalDouble loss = entry.number(RunLog.LOSS);
        long end = (long) tokens(entry);
        if (loss.isEmpty() || end <= tokens) {
            return false;
        }
        double stepBits = loss.getAsDouble() / NATS_PER_BIT * (end - tokens);
        OptionalDouble bitsPerByte = entry.number(RunLog.BITS_PER_BYTE); // none where all tokens end texts
        bytes += bitsPerByte.isPresent() ? Math.round(stepBits / bitsPerByte.getAsDouble()) : 0;
        bits += stepBits;
        tokens = end;
        steps++;
        return true;
    }
}
