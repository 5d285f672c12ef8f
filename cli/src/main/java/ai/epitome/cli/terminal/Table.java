package ai.epitome.cli.terminal;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Rows under a heading, each column as wide as its widest cell; columns of numbers lean right.
public final class Table {
    private final List<String> heading;
    private final List<List<String>> rows = new ArrayList<>();

    /// @param heading names of the columns; those that end with `>` hold numbers
    public Table(String... heading) {
        this.heading = List.of(heading);
    }

    public void add(Object... cells) {
        rows.add(Arrays.stream(cells).map(String::valueOf).toList());
    }

    public void print(PrintStream out) {
        out.println(line(heading.stream().map(Table::title).toList()));
        rows.forEach(row -> out.println(line(row)));
    }

    private static String title(String heading) {
        return heading.endsWith(">") ? heading.substring(0, heading.length() - 1) : heading;
    }

    private String line(List<String> cells) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < cells.size(); i++) {
            String cell = cells.get(i);
            String space = " ".repeat(width(i) - cell.length());
            line.append(heading.get(i).endsWith(">") ? space + cell : cell + space)
                    .append("  ");
        }
        return line.toString().stripTrailing();
    }

    private int width(int column) {
        int width = title(heading.get(column)).length();
        for (List<String> row : rows) {
            width = Math.max(width, row.get(column).length());
        }
        return width;
    }
}
