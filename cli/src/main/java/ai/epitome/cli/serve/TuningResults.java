package ai.epitome.cli.serve;

import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;

/// The log of a run as a table: what each step has cost, and what was held out.
///
/// @param tokens that the run was trained on
record TuningResults(List<Map<String, Double>> steps, long tokens) {
    /// @param folder of the run
    static TuningResults of(Path folder) throws IOException {
        List<Map<String, Double>> steps = new ArrayList<>();
        long[] tokens = {0};
        RunLog.read(folder.resolve(RunLog.FILE), entry -> {
            Map<String, Double> values = new LinkedHashMap<>();
            values.put("step", (double) entry.step());
            entry.number(RunLog.LOSS).ifPresent(loss -> values.put("train_loss", loss));
            for (String name : entry.values().propertyNames()) {
                if (name.startsWith(RunLog.HELD_OUT)) {
                    String told = "valid_" + name.substring(RunLog.HELD_OUT.length());
                    entry.number(name).ifPresent(value -> values.put(told, value));
                }
            }
            entry.number(RunLog.TOKENS).ifPresent(value -> tokens[0] = (long) value);
            steps.add(values);
        });
        return new TuningResults(steps, tokens[0]);
    }

    /// With a line of names; what was not measured after a step is empty.
    String csv() {
        SequencedSet<String> names = new LinkedHashSet<>(List.of("step", "train_loss", "valid_loss"));
        steps.forEach(step -> names.addAll(step.keySet()));
        StringBuilder csv = new StringBuilder(String.join(",", names)).append('\n');
        for (Map<String, Double> step : steps) {
            List<String> cells = new ArrayList<>();
            for (String name : names) {
                Double value = step.get(name);
                cells.add(
                        value == null ? "" : name.equals("step") ? Long.toString(value.longValue()) : value.toString());
            }
            csv.append(String.join(",", cells)).append('\n');
        }
        return csv.toString();
    }
}
