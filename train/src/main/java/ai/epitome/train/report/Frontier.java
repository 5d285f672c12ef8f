package ai.epitome.train.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// What was won against what it cost, a mark for each model, as a picture.
public final class Frontier {
    private static final int WIDTH = 960;
    private static final int HEIGHT = 540;
    private static final Color[] COLORS = {
        new Color(0x6b, 0x75, 0x84),
        new Color(0x1f, 0x5f, 0xbf),
        new Color(0xc0, 0x39, 0x2b),
        new Color(0x2e, 0x86, 0x59),
        new Color(0x7d, 0x3c, 0x98),
        new Color(0x9a, 0x63, 0x24)
    };
    private static final Marker[] MARKERS = {
        SeriesMarkers.CIRCLE, SeriesMarkers.DIAMOND, SeriesMarkers.SQUARE, SeriesMarkers.TRIANGLE_UP
    };

    private Frontier() {}

    /// A model.
    ///
    /// @param name in the legend
    /// @param cost to the right
    /// @param won upwards
    public record Point(String name, double cost, double won) {}

    /// Writes `NAME.png`.
    ///
    /// @throws RuntimeException or LinkageError or InternalError where Java cannot draw: there may be no font
    public static void write(Path folder, String name, String won, String cost, List<Point> points) throws IOException {
        XYChart chart = Curves.chart(won, cost, WIDTH, HEIGHT);
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE).setMarkerSize(11);
        chart.getStyler().setYAxisDecimalPattern("0.00").setXAxisDecimalPattern("0.#");
        double most = points.stream().mapToDouble(Point::cost).max().orElse(1);
        double least =
                Math.min(0, points.stream().mapToDouble(Point::cost).min().orElse(0));
        chart.getStyler().setXAxisMin(least - 0.03 * Math.max(1, most)).setXAxisMax(1.08 * Math.max(1, most));
        double high = points.stream().mapToDouble(Point::won).max().orElse(1);
        double low = points.stream().mapToDouble(Point::won).min().orElse(0);
        double margin = Math.max(0.01, 0.06 * (high - low)); // a mark at the edge is whole
        chart.getStyler().setYAxisMin(low - margin).setYAxisMax(high + margin);
        for (int i = 0; i < points.size(); i++) {
            Point point = points.get(i);
            XYSeries series = chart.addSeries(
                    String.format(Locale.ROOT, "%s %.3f", point.name, point.won),
                    new double[] {point.cost},
                    new double[] {point.won});
            Curves.style(series, COLORS[i % COLORS.length], new BasicStroke(0));
            series.setMarker(MARKERS[i / COLORS.length % MARKERS.length]);
            series.setMarkerColor(COLORS[i % COLORS.length]);
        }
        Curves.draw(folder, name, WIDTH, HEIGHT, List.of(new Curves.Panel(chart, 0, 0, WIDTH, HEIGHT)));
    }
}
