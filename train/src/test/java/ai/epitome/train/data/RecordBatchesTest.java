package ai.epitome.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.text.ByteTokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordBatchesTest {
    private static List<List<Example>> pairs(int count) {
        List<List<Example>> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            records.add(List.of(example(3 + i, i), example(2, i)));
        }
        return records;
    }

    private static Example example(int length, int token) {
        int[] tokens = new int[length];
        boolean[] learned = new boolean[length];
        Arrays.fill(tokens, token);
        learned[length - 1] = true;
        return new Example(tokens, learned);
    }

    private static RecordBatches batches(int count, int rows) throws IOException {
        return new RecordBatches(pairs(count), TokenTable.of(new ByteTokenizer()), 5, rows);
    }

    @Test
    void rowsOfARecordAreTogether() throws IOException {
        Batch batch = batches(40, 3).batch(6);
        assertThat(batch.rows()).isEqualTo(6);
        assertThat(batch.length() % 16).isZero();
        for (int row = 0; row < 6; row++) {
            int record = batch.records()[row];
            int size = row % 2 == 0 ? 3 + record : 2;
            assertThat(record).isEqualTo(batch.records()[row / 2 * 2]);
            assertThat(batch.inputs()[row * batch.length() + size - 1]).isEqualTo(record);
            assertThat(batch.targets()[row * batch.length() + size - 2]).isEqualTo(record);
            assertThat(batch.segmentStarts()[row * batch.length() + size]).isEqualTo(size);
        }
        assertThat(batch.targetCount()).isEqualTo(6);
    }

    @Test
    void anEpochHasEachRecordOnceAndTheNextAnotherOrder() throws IOException {
        RecordBatches batches = batches(96, 2);
        List<Integer> first = records(batches, 0, 96);
        List<Integer> second = records(batches, 96, 192);
        assertThat(first).doesNotHaveDuplicates().hasSize(96);
        assertThat(second).doesNotHaveDuplicates().hasSize(96).isNotEqualTo(first);
    }

    private static List<Integer> records(RecordBatches batches, int from, int to) {
        List<Integer> all = new ArrayList<>();
        for (int cursor = from; cursor < to; cursor += 2) {
            Batch batch = batches.batch(cursor);
            all.add(batch.records()[0]);
            all.add(batch.records()[2]);
        }
        return all;
    }
}
