package ai.epitome.cli.option;

import ai.epitome.train.Interval;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// How often something happens: every `500` steps, or every `2m` of training.
public final class IntervalConverter implements ITypeConverter<Interval> {
    @Override
    public Interval convert(String text) {
        if (text.matches("[1-9]\\d{0,8}")) {
            return Interval.ofSteps(Long.parseLong(text));
        }
        try {
            return Interval.ofSeconds(new TimeConverter().convert(text).toSeconds());
        } catch (TypeConversionException e) {
            throw new TypeConversionException(
                    "'%s' is no interval: write a number of steps (500) or a time (90s, 5m)".formatted(text));
        }
    }
}
