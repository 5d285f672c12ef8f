package ai.epitome.train.report;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.train.report.RunHistory.Measurement;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The curves of a run as pictures. `held-out` is the one to look at first: held-out bits per byte over time, with a
/// line for each compressor. `curves` has the rest beside it.
final class Curves {
    private static final Color INK = new Color(0x22, 0x2b, 0x38);
    private static final Color FAINT = new Color(0xe6, 0xe9, 0xee);
    private static final Color GREY = new Color(0x6b, 0x75, 0x84);
    private static final Color BLUE = new Color(0x1f, 0x5f, 0xbf);
    private static final Color PALE_BLUE = new Color(0xb4, 0xcc, 0xec);
    private static final Color[] BASELINES = {
        new Color(0x9a, 0x63, 0x24),
        new Color(0xc0, 0x39, 0x2b),
        new Color(0x7d, 0x3c, 0x98),
        new Color(0x2e, 0x86, 0x59)
    };

    private static final int WIDTH = 960;
    private static final int HEIGHT = 540;
    private static final int PANEL_WIDTH = 640;
    private static final int PANEL_HEIGHT = 380;
    // Pictures have two pixels a unit, for screens that have too.
    private static final int SCALE = 2;

    record Panel(XYChart chart, int x, int y, int width, int height) {}

    private record Axis(String title, double[] values) {}

    private final RunHistory history;
    private final Optional<Baselines> baselines;

    Curves(RunHistory history, Optional<Baselines> baselines) {
        this.history = history;
        this.baselines = baselines;
    }

    /// Writes `held-out.png` and `curves.png`.
    void write(Path folder) throws IOException {
        if (history.measurements().isEmpty() && !history.measures().isEmpty()) {
            writeMeasures(folder);
            return;
        }
        draw(
                folder,
                "held-out",
                WIDTH,
                HEIGHT,
                List.of(new Panel(heldOut(time(), WIDTH, HEIGHT), 0, 0, WIDTH, HEIGHT)));
        List<XYChart> charts = List.of(
                heldOut(steps(), PANEL_WIDTH, PANEL_HEIGHT),
                heldOut(tokens(), PANEL_WIDTH, PANEL_HEIGHT),
                heldOut(time(), PANEL_WIDTH, PANEL_HEIGHT),
                overSteps("Training loss (nats per token)", history.loss(), "0.0#", true, false),
                overSteps("Learning rate", history.learningRate(), "0.#####", false, true),
                overSteps("Tokens per second", history.speed(), "#,##0", true, true));
        drawPanels(folder, "curves", charts, 3);
    }

    /// The same of a run that learns something else than the price of texts.
    private void writeMeasures(Path folder) throws IOException {
        List<XYChart> charts = new ArrayList<>();
        history.measures().forEach((name, curve) -> charts.add(measured("Held-out " + name, curve)));
        drawPanels(folder, "held-out", charts, 2);
        drawPanels(
                folder,
                "curves",
                List.of(
                        overSteps("Training loss (nats)", history.loss(), "0.0#", true, false),
                        overSteps("Learning rate", history.learningRate(), "0.#####", false, true),
                        overSteps("Tokens per second", history.speed(), "#,##0", true, true)),
                3);
    }

    private static XYChart measured(String title, Curve curve) {
        XYChart chart = chart(title, "step", PANEL_WIDTH, PANEL_HEIGHT);
        chart.getStyler().setYAxisDecimalPattern("0.0##").setLegendVisible(false);
        double[] y = curve.y();
        double low = Arrays.stream(y).min().orElse(0);
        double high = Arrays.stream(y).max().orElse(1);
        double margin = Math.max(1e-3, 0.06 * (high - low));
        chart.getStyler().setYAxisMin(low - margin).setYAxisMax(high + margin);
        XYSeries series = chart.addSeries(title, curve.x(), y);
        style(series, BLUE, new BasicStroke(2.6f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        series.setMarker(SeriesMarkers.CIRCLE);
        series.setMarkerColor(BLUE);
        return chart;
    }

    private static void drawPanels(Path folder, String name, List<XYChart> charts, int across) throws IOException {
        List<Panel> panels = new ArrayList<>();
        for (XYChart chart : charts) {
            int i = panels.size();
            panels.add(
                    new Panel(chart, i % across * PANEL_WIDTH, i / across * PANEL_HEIGHT, PANEL_WIDTH, PANEL_HEIGHT));
        }
        draw(folder, name, across * PANEL_WIDTH, Math.ceilDiv(charts.size(), across) * PANEL_HEIGHT, panels);
    }

    private XYChart heldOut(Axis x, int width, int height) {
        XYChart chart = chart("Held-out bits per byte", x.title, width, height);
        chart.getStyler().setYAxisDecimalPattern("0.00");
        double[] y = values(Measurement::bitsPerByte);
        double end = x.values.length == 0 ? 1 : Math.max(x.values[x.values.length - 1], 1e-9);
        double highest = 0;
        double lowest = Double.MAX_VALUE;
        for (double value : y) {
            highest = Math.max(highest, value);
            lowest = Math.min(lowest, value);
        }
        List<Baselines.Line> lines = baselines.map(Baselines::lines).orElse(List.of()).stream()
                .sorted(Comparator.comparingDouble(Baselines.Line::givenTraining)
                        .reversed())
                .toList();
        double top = highest;
        for (int i = 0; i < lines.size(); i++) {
            Baselines.Line line = lines.get(i);
            double at = line.givenTraining();
            XYSeries series =
                    chart.addSeries(format("%s %.3f", line.name(), at), new double[] {0, end}, new double[] {at, at});
            style(
                    series,
                    BASELINES[i % BASELINES.length],
                    new BasicStroke(1.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 10, new float[] {7, 4}, 0));
            // An untrained model begins at 8 bits: the part that matters is where the lines are.
            top = Math.min(top, 1.35 * lines.getFirst().givenTraining());
            lowest = Math.min(lowest, at);
        }
        if (y.length > 0) {
            XYSeries model = chart.addSeries(format("this model %.3f", y[y.length - 1]), x.values, y);
            style(model, BLUE, new BasicStroke(2.6f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
            if (y.length <= 60) {
                model.setMarker(SeriesMarkers.CIRCLE);
                model.setMarkerColor(BLUE);
            }
            chart.getStyler().setYAxisMin(lowest - 0.05 * (top - lowest) - 1e-3).setYAxisMax(top + 1e-3);
        }
        chart.getStyler().setXAxisMin(0.0).setXAxisMax(end);
        return chart;
    }

    /// A value of every step; a noisy one pale, and its mean over the steps around strong.
    private static XYChart overSteps(String title, Curve curve, String pattern, boolean noisy, boolean fromZero) {
        XYChart chart = chart(title, "step", PANEL_WIDTH, PANEL_HEIGHT);
        chart.getStyler().setYAxisDecimalPattern(pattern);
        if (curve.isEmpty()) {
            return chart;
        }
        double[] x = curve.x();
        double[] each = curve.y();
        style(chart.addSeries("each step", x, each), noisy ? PALE_BLUE : BLUE, new BasicStroke(noisy ? 1 : 2.2f));
        if (noisy) {
            style(chart.addSeries("smoothed", x, smoothed(each)), BLUE, new BasicStroke(2.2f));
        }
        chart.getStyler().setLegendVisible(!fromZero);
        if (fromZero) {
            chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.15 * Math.max(1e-12, curve.highest()));
        }
        return chart;
    }

    private Axis steps() {
        return new Axis("step", values(Measurement::step));
    }

    private Axis tokens() {
        return new Axis(
                "million tokens", values(measurement -> measurement.tokens().orElse(0) / 1e6));
    }

    private Axis time() {
        double last = history.lastMeasurement()
                .map(measurement -> measurement.seconds().orElse(0))
                .orElse(0.0);
        boolean hours = last > 3 * 3600;
        double unit = hours ? 3600 : 60;
        return new Axis(
                hours ? "hours of training" : "minutes of training",
                values(measurement -> measurement.seconds().orElse(0) / unit));
    }

    private double[] values(ToDoubleFunction<Measurement> of) {
        return history.measurements().stream().mapToDouble(of).toArray();
    }

    /// Means over a fiftieth of the run around each point.
    static double[] smoothed(double[] values) {
        double[] sums = new double[values.length + 1];
        for (int i = 0; i < values.length; i++) {
            sums[i + 1] = sums[i] + values[i];
        }
        int reach = values.length / 100;
        double[] smoothed = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            // As far to one side as to the other, so that a slope is not shifted.
            int side = Math.min(reach, Math.min(i, values.length - 1 - i));
            smoothed[i] = (sums[i + side + 1] - sums[i - side]) / (2 * side + 1);
        }
        return smoothed;
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    static void style(XYSeries series, Color color, BasicStroke stroke) {
        series.setMarker(SeriesMarkers.NONE);
        series.setLineColor(color);
        series.setLineStyle(stroke);
    }

    static XYChart chart(String title, String xTitle, int width, int height) {
        XYChart chart = new XYChartBuilder()
                .title(title)
                .xAxisTitle(xTitle)
                .width(width)
                .height(height)
                .build();
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
        chart.getStyler()
                .setPlotGridLinesColor(FAINT)
                .setPlotGridLinesStroke(new BasicStroke(1))
                .setPlotGridVerticalLinesVisible(false)
                .setPlotMargin(0)
                .setAxisTickLabelsFont(font)
                .setAxisTickLabelsColor(GREY)
                .setAxisTickMarksColor(FAINT)
                .setAxisTitleFont(font)
                .setYAxisTitleVisible(false)
                .setXAxisTickMarkSpacingHint(90)
                .setYAxisTickMarkSpacingHint(45);
        chart.getStyler()
                .setLocale(Locale.ROOT)
                .setChartBackgroundColor(Color.WHITE)
                .setChartFontColor(INK)
                .setChartTitleFont(font.deriveFont(Font.BOLD, 16))
                .setChartTitleBoxVisible(false)
                .setChartTitlePadding(8)
                .setChartPadding(14)
                .setPlotBorderVisible(false)
                .setPlotContentSize(1)
                .setLegendPosition(Styler.LegendPosition.InsideNE)
                .setLegendBorderColor(Color.WHITE)
                .setLegendFont(font)
                .setLegendPadding(8)
                .setMarkerSize(5);
        return chart;
    }

    static void draw(Path folder, String name, int width, int height, List<Panel> panels) throws IOException {
        BufferedImage image = new BufferedImage(SCALE * width, SCALE * height, BufferedImage.TYPE_INT_RGB);
        Graphics2D pixels = image.createGraphics();
        pixels.scale(SCALE, SCALE);
        paint(pixels, width, height, panels);
        pixels.dispose();
        AtomicFile.write(folder.resolve(name + ".png"), channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel));
            ImageIO.write(image, "png", out);
            out.flush();
        });
    }

    private static void paint(Graphics2D graphics, int width, int height, List<Panel> panels) {
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, height);
        AffineTransform origin = graphics.getTransform();
        for (Panel panel : panels) {
            graphics.translate(panel.x, panel.y);
            panel.chart.paint(graphics, panel.width, panel.height);
            graphics.setTransform(origin);
        }
    }
}
