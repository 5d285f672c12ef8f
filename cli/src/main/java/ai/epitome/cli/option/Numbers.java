package ai.epitome.cli.option;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Numbers as options take them, refused where they make no sense.
public final class Numbers {
    private Numbers() {}

    /// A whole number from 1 on.
    public static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return Math.toIntExact(atLeastOne(text, Integer.MAX_VALUE));
        }
    }

    /// The same, up to where longs go.
    public static final class LongCount implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            return atLeastOne(text, Long.MAX_VALUE);
        }
    }

    /// A number from 0 on.
    public static final class Rate implements ITypeConverter<Double> {
        @Override
        public Double convert(String text) {
            try {
                double value = Double.parseDouble(text);
                if (value >= 0 && Double.isFinite(value)) {
                    return value;
                }
            } catch (NumberFormatException e) {
                // told below
            }
            throw new TypeConversionException("'%s' is not a number from 0 on".formatted(text));
        }
    }

    private static long atLeastOne(String text, long most) {
        try {
            long value = Long.parseLong(text.replace("_", ""));
            if (value >= 1 && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new TypeConversionException("'%s' is not a whole number from 1 on".formatted(text));
    }
}
