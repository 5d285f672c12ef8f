package ai.epitome.compress;

import java.util.OptionalLong;

/// How long a text is when it is described in one way.
///
/// @param plain bytes of the text, 1 or more
/// @param payload bytes that stand for it
/// @param model bytes of what a reader needs besides, and has to get once: weights and tokenizer, 0 where the program
///     alone will do
public record DescriptionLength(long plain, long payload, long model) {
    public DescriptionLength {
        if (plain < 1 || payload < 0 || model < 0) {
            throw new IllegalArgumentException("a text of %,d bytes cannot be described in %,d and a model of %,d"
                    .formatted(plain, payload, model));
        }
    }

    /// Of the payload.
    public double bitsPerByte() {
        return 8.0 * payload / plain;
    }

    /// Payload and model.
    public long total() {
        return payload + model;
    }

    /// Of both.
    public double totalBitsPerByte() {
        return 8.0 * total() / plain;
    }

    /// The bytes of such text from which on this way is shorter with its model than `other` is with its own: the
    /// difference of the models' bytes divided by the difference of the rates, if both rates stay what they are
    /// here. Empty where the rate is no better.
    ///
    /// @param other of the same text
    public OptionalLong breakEven(DescriptionLength other) {
        if (other.plain != plain) {
            throw new IllegalArgumentException(
                    "two descriptions of texts of %,d and %,d bytes".formatted(plain, other.plain));
        }
        if (payload >= other.payload) {
            return OptionalLong.empty();
        }
        double size = (double) Math.max(0, model - other.model) * plain / (other.payload - payload);
        return OptionalLong.of((long) Math.ceil(size));
    }

    /// Of both texts, described in this way with the same model.
    public DescriptionLength plus(DescriptionLength other) {
        if (other.model != model) {
            throw new IllegalArgumentException(
                    "two models, of %,d and %,d bytes, do not describe one text".formatted(model, other.model));
        }
        return new DescriptionLength(plain + other.plain, payload + other.payload, model);
    }
}
