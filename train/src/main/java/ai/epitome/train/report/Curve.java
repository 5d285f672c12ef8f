package ai.epitome.train.report;

import java.util.Arrays;

/// A curve of any length in bounded memory: at most [#MOST] points, each the mean over as many steps. When there are
/// that many, neighbours become one, and from then on a point stands for twice as many steps.
final class Curve {
    /// Even, so that each point has a neighbour.
    static final int MOST = 1200;

    private final double[] x = new double[MOST];
    private final double[] y = new double[MOST];
    private int size;
    private long steps = 1; // of a point
    private long waiting; // of the point that is not complete yet
    private double sumX;
    private double sumY;
    private double highest = Double.NEGATIVE_INFINITY;

    void add(double atX, double atY) {
        highest = Math.max(highest, atY);
        sumX += atX;
        sumY += atY;
        if (++waiting == steps) {
            x[size] = sumX / waiting;
            y[size] = sumY / waiting;
            size++;
            sumX = sumY = waiting = 0;
        }
        if (size == MOST) {
            size = MOST / 2;
            for (int i = 0; i < size; i++) {
                x[i] = (x[2 * i] + x[2 * i + 1]) / 2;
                y[i] = (y[2 * i] + y[2 * i + 1]) / 2;
            }
            steps *= 2;
        }
    }

    boolean isEmpty() {
        return size + waiting == 0;
    }

    double[] x() {
        return points(x, sumX);
    }

    double[] y() {
        return points(y, sumY);
    }

    /// The value of the last point.
    double last() {
        double[] all = y();
        return all[all.length - 1];
    }

    /// The greatest of all that was added.
    double highest() {
        return highest;
    }

    /// With the last point, though it stands for fewer steps.
    private double[] points(double[] means, double sum) {
        double[] points = Arrays.copyOf(means, waiting == 0 ? size : size + 1);
        if (waiting > 0) {
            points[size] = sum / waiting;
        }
        return points;
    }
}
