package ai.epitome.cli.option;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Times as people write them: `90s`, `3m`, `1h30m`.
public final class TimeConverter implements ITypeConverter<Duration> {
    private static final Pattern TIME = Pattern.compile("(?:\\d{1,4}h)?(?:\\d{1,5}m)?(?:\\d{1,6}s)?");

    @Override
    public Duration convert(String text) {
        String time = text.toLowerCase(Locale.ROOT);
        if (time.isEmpty() || !TIME.matcher(time).matches()) {
            throw new TypeConversionException("'%s' is no time: write 90s, 3m or 1h30m".formatted(text));
        }
        Duration duration = Duration.parse("PT" + time);
        if (duration.isZero()) {
            throw new TypeConversionException("the time must be longer than nothing");
        }
        return duration;
    }
}
