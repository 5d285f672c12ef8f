package ai.epitome.train.policy;

import ai.epitome.model.transformer.Sequences;
import ai.epitome.train.data.Batch;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Replies as rows of a pass, one each: prompt, answer, filler.
///
/// @param replies whose rows these are
/// @param batch the rows; targets are the tokens of the answers
record ReplyRows(List<Reply> replies, Batch batch) {
    /// Rows have a multiple of this many tokens: products work on blocks.
    private static final int BLOCK = 16;

    static ReplyRows of(List<Reply> replies) {
        int longest = replies.stream()
                .mapToInt(reply -> reply.prompt().tokens().length + reply.tokens().length - 1)
                .max()
                .orElse(1);
        int length = Math.ceilDiv(longest, BLOCK) * BLOCK;
        int[] inputs = new int[replies.size() * length];
        int[] targets = new int[replies.size() * length];
        int[] starts = new int[replies.size() * length];
        Arrays.fill(targets, Batch.NO_TARGET);
        long bytes = 0;
        for (int row = 0; row < replies.size(); row++) {
            Reply reply = replies.get(row);
            int[] sequence = reply.sequence();
            int begin = row * length;
            System.arraycopy(sequence, 0, inputs, begin, sequence.length - 1);
            int first = begin + reply.prompt().tokens().length - 1;
            System.arraycopy(reply.tokens(), 0, targets, first, reply.tokens().length);
            for (int t = sequence.length - 1; t < length; t++) {
                starts[begin + t] = t; // filler sees itself alone
            }
            bytes += reply.text().getBytes(StandardCharsets.UTF_8).length;
        }
        return new ReplyRows(replies, new Batch(replies.size(), length, inputs, targets, starts, bytes));
    }

    Sequences sequences() {
        return new Sequences(batch.inputs(), batch.rows(), batch.segmentStarts());
    }

    /// Where token `t` of the answer in a row is predicted.
    int place(int row, int t) {
        return row * batch.length() + replies.get(row).prompt().tokens().length - 1 + t;
    }

    /// Of numbers for all places, those of each answer's tokens, with the other sign where `negated`.
    double[][] ofAnswers(float[] all, boolean negated) {
        double[][] found = new double[replies.size()][];
        for (int row = 0; row < found.length; row++) {
            found[row] = new double[replies.get(row).tokens().length];
            for (int t = 0; t < found[row].length; t++) {
                float value = all[place(row, t)];
                found[row][t] = negated ? -value : value;
            }
        }
        return found;
    }
}
