package ai.epitome.compress.mix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SlotTableTest {
    @Test
    void keepsWhatItHoldsWhileThereIsRoom() {
        SlotTable table = new SlotTable(14);
        Random random = new Random(1);
        Map<Integer, Short> values = new HashMap<>();
        for (int i = 0; i < 1 << 11; i++) {
            int hash = random.nextInt();
            short value = (short) (1 + i);
            int slot = table.find(table.home(hash), hash);
            table.nodes()[slot + 1] = 1;
            table.nodes()[slot + 15] = value;
            values.put(hash, value);
        }
        long kept = values.entrySet().stream()
                .filter(entry ->
                        table.nodes()[table.find(table.home(entry.getKey()), entry.getKey()) + 15] == entry.getValue())
                .count();
        assertThat(kept).isGreaterThan(values.size() * 99L / 100);
    }

    @Test
    void aNewContextTakesTheSlotThatHasSeenLeastAndFindsItCleared() {
        SlotTable table = new SlotTable(4);
        int often = 0x1234567;
        int slot = table.find(table.home(often), often);
        for (int i = 0; i < 20; i++) {
            table.nodes()[slot + 1] = (short) BitHistory.next(table.nodes()[slot + 1] & 0xff, 1);
        }
        Random random = new Random(2);
        for (int i = 0; i < 1000; i++) {
            int hash = random.nextInt();
            int other = table.find(table.home(hash), hash);
            assertThat(other).isNotEqualTo(slot);
            assertThat(table.nodes()[other + 2]).isZero();
            table.nodes()[other + 1] = 1;
            table.nodes()[other + 2] = 7;
            table.nodes()[other] ^= 1;
        }
        assertThat(table.find(table.home(often), often)).isEqualTo(slot);
    }
}
