package ai.epitome.serve.account;

import java.math.BigDecimal;
import java.util.Locale;

/// Amounts of money, as whole millionths of one currency: the one that the price table is written in.
public final class Money {
    /// Decimals that a millionth has.
    private static final int SCALE = 6;

    private Money() {}

    /// `25`, `2.50`, `0.000001`.
    ///
    /// @throws IllegalArgumentException for anything else
    public static long parse(String amount) {
        try {
            BigDecimal value = new BigDecimal(amount.strip());
            if (value.signum() < 0 || value.precision() > 20 || Math.abs(value.scale()) > 20) {
                throw new NumberFormatException();
            }
            return value.movePointRight(SCALE).longValueExact();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + amount + "' is no amount of money: write 25 or 0.0006", e);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "'" + amount + "' is too large, or finer than a millionth, which is the unit of account", e);
        }
    }

    /// With two decimals, or more where there is something to tell.
    public static String format(long micros) {
        BigDecimal value = BigDecimal.valueOf(micros, SCALE).stripTrailingZeros();
        return String.format(Locale.ROOT, "%." + Math.max(2, value.scale()) + "f", value);
    }
}
