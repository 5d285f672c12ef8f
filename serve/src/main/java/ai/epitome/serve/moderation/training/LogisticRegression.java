package ai.epitome.serve.moderation.training;

import ai.epitome.serve.moderation.LinearClassifier;
import ai.epitome.serve.moderation.NgramFeatures.Window;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Logistic regression, by stochastic gradients with a rate for each weight
/// ([AdaGrad](https://jmlr.org/papers/v12/duchi11a.html)), which suits features that are rare. The same
/// examples give the same bits, whatever the machine.
///
/// @param weights one for each place of a window
record LogisticRegression(double[] weights, double bias) {
    private static final int EPOCHS = 12;
    private static final double RATE = 0.3;
    /// Pulls the weights of a window's places to 0 at each of its steps.
    private static final double DECAY = 1e-4;
    private static final long SEED = 5;

    static LogisticRegression learn(List<Window> windows, boolean[] positive, int places) {
        double[] weights = new double[places];
        double[] squares = new double[places];
        double bias = logit(positive);
        int[] order = new int[windows.size()];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            shuffle(order, random);
            for (int example : order) {
                Window window = windows.get(example);
                double error = LinearClassifier.sigmoid(logit(window, weights, bias)) - (positive[example] ? 1 : 0);
                for (int i = 0; i < window.places().length; i++) {
                    int place = window.places()[i];
                    double gradient = error * window.weights()[i] + DECAY * weights[place];
                    squares[place] += gradient * gradient;
                    weights[place] -= RATE * gradient / Math.sqrt(squares[place] + 1e-8);
                }
            }
        }
        return new LogisticRegression(weights, bias);
    }

    /// What says of a text without words only how many texts are positive. It stays, and windows' places
    /// say the rest.
    private static double logit(boolean[] positive) {
        int count = 0;
        for (boolean each : positive) {
            count += each ? 1 : 0;
        }
        return StrictMath.log((count + 0.5) / (positive.length - count + 0.5));
    }

    private static void shuffle(int[] order, RandomGenerator random) {
        for (int i = order.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int held = order[i];
            order[i] = order[other];
            order[other] = held;
        }
    }

    double logit(Window window) {
        return logit(window, weights, bias);
    }

    private static double logit(Window window, double[] weights, double bias) {
        double sum = bias;
        for (int i = 0; i < window.places().length; i++) {
            sum += window.weights()[i] * weights[window.places()[i]];
        }
        return sum;
    }
}
