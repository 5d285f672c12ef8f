package ai.epitome.cli.option;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A number of bytes: `4096`, `64k`, `1M`, with powers of 1024.
public final class SizeConverter implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
        String number = text.toLowerCase(Locale.ROOT).replaceFirst("i?b$", "");
        int shift = number.endsWith("k") ? 10 : number.endsWith("m") ? 20 : number.endsWith("g") ? 30 : 0;
        try {
            long bytes = Long.parseLong(shift == 0 ? number : number.substring(0, number.length() - 1));
            if (bytes >= 1 && bytes <= Integer.MAX_VALUE >> shift) {
                return (int) (bytes << shift);
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new TypeConversionException("'%s' is not a size such as 4096, 64k or 1M".formatted(text));
    }
}
