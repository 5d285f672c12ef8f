package ai.epitome.compress.gpt;

import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.RangeDecoder;
import ai.epitome.compress.RangeEncoder;
import java.util.OptionalInt;

/// One block on its way through the model: which token is read next, and which symbol is predicted by it.
///
/// A block follows the start token where the model has one; else its first symbol is predicted by nothing.
abstract sealed class BlockStream {
    final ExactSequence sequence;
    private final OptionalInt start;
    private int read; // tokens that the model has read, the start among them

    BlockStream(ExactSequence sequence, OptionalInt start) {
        this.sequence = sequence;
        this.start = start;
    }

    /// Whether the model has to read on.
    abstract boolean unfinished();

    /// The token at `index` of the block.
    abstract int token(int index);

    /// The next token to read.
    final int next() {
        int index = read++;
        if (start.isEmpty()) {
            return token(index);
        }
        return index == 0 ? start.getAsInt() : token(index - 1);
    }

    /// Index of the symbol that the next token to read predicts.
    final int firstPredicted() {
        return start.isPresent() ? read : read + 1;
    }

    /// A symbol's part of the coder's interval.
    record Part(long cumulative, long frequency, long total) {
        void encode(RangeEncoder encoder) {
            encoder.symbol(cumulative, frequency, total);
        }
    }

    /// A block whose tokens are known.
    static final class Encoding extends BlockStream {
        final RangeEncoder encoder = new RangeEncoder();
        private final int[] tokens;

        Encoding(ExactSequence sequence, OptionalInt start, int[] tokens) {
            super(sequence, start);
            this.tokens = tokens;
        }

        @Override
        boolean unfinished() {
            return readable() > 0;
        }

        /// How many tokens are left that predict one.
        int readable() {
            return tokens.length - firstPredicted();
        }

        @Override
        int token(int index) {
            return tokens[index];
        }

        /// The part of the symbol at `index`, given what is expected there.
        Part part(int index, Frequencies expected) {
            int symbol = tokens[index];
            return new Part(expected.cumulative(symbol), expected.frequency(symbol), expected.total());
        }
    }

    /// A block whose tokens come out one by one.
    static final class Decoding extends BlockStream {
        private final RangeDecoder decoder;
        private final TokenBytes vocabulary;
        final byte[] plain;
        private int length;
        private int token;

        Decoding(ExactSequence sequence, OptionalInt start, TokenBytes vocabulary, byte[] coded, int length) {
            super(sequence, start);
            this.vocabulary = vocabulary;
            decoder = new RangeDecoder(coded);
            plain = new byte[length];
        }

        @Override
        boolean unfinished() {
            return length < plain.length;
        }

        @Override
        int token(int index) {
            return token;
        }

        /// Plain bytes so far.
        int length() {
            return length;
        }

        /// Bytes of the code so far.
        int position() {
            return decoder.position();
        }

        /// Reads the next symbol.
        void take(Frequencies frequencies) {
            token = frequencies.find(decoder.target(frequencies.total()));
            decoder.symbol(frequencies.cumulative(token), frequencies.frequency(token), frequencies.total());
            byte[] bytes = vocabulary.bytes(token);
            if (bytes.length == 0 || bytes.length > plain.length - length) {
                throw new MalformedCodeException(
                        "a token of %d bytes where %d to 1 are left".formatted(bytes.length, plain.length - length));
            }
            System.arraycopy(bytes, 0, plain, length, bytes.length);
            length += bytes.length;
        }
    }

    /// The bytes of a token.
    @FunctionalInterface
    interface TokenBytes {
        byte[] bytes(int token);
    }
}
