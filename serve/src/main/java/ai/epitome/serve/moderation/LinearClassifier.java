package ai.epitome.serve.moderation;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/// Logistic regression over [NgramFeatures], one for each category that there were texts to learn from. A
/// text's score is the highest of its windows.
///
/// Kept as a gzip stream of big-endian values:
///
/// ```
/// "EPMO", int version 1, int categories
/// each category: UTF name, float threshold, bias, scale, byte weights[65536]        weight = scale x byte
/// ```
///
/// The bundled weights are made by `epitome moderation train`; docs/results/moderation.md says of which
/// texts.
public final class LinearClassifier implements Moderator {
    private static final int MAGIC = 0x45504D4F;
    private static final int VERSION = 1;

    private final Map<Category, Head> heads = new EnumMap<>(Category.class);

    /// What is known of one category.
    ///
    /// @param threshold from which score on a text is flagged
    /// @param scale of the weights
    public record Head(Category category, float threshold, float bias, float scale, byte[] weights) {
        /// Rounds weights to bytes.
        public static Head quantised(Category category, double threshold, double bias, double[] weights) {
            double largest = 0;
            for (double weight : weights) {
                largest = Math.max(largest, Math.abs(weight));
            }
            float scale = (float) (largest / Byte.MAX_VALUE);
            byte[] bytes = new byte[weights.length];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = scale == 0 ? 0 : (byte) Math.round(weights[i] / scale);
            }
            return new Head(category, (float) threshold, (float) bias, scale, bytes);
        }

        /// From 0 to 1.
        public double score(NgramFeatures.Window window) {
            double sum = 0;
            for (int i = 0; i < window.places().length; i++) {
                sum += window.weights()[i] * weights[window.places()[i]];
            }
            return sigmoid(bias + scale * sum);
        }
    }

    public LinearClassifier(List<Head> heads) {
        heads.forEach(head -> this.heads.put(head.category(), head));
    }

    /// The one that comes with the program.
    static LinearClassifier bundled() {
        try (InputStream in = LinearClassifier.class.getResourceAsStream("classifier.bin")) {
            return read(in);
        } catch (IOException e) {
            throw new UncheckedIOException("the moderation classifier could not be read", e);
        }
    }

    /// @throws IOException when that is no classifier, or one of another version
    public static LinearClassifier read(InputStream stream) throws IOException {
        var in = new DataInputStream(new BufferedInputStream(new GZIPInputStream(stream)));
        if (in.readInt() != MAGIC || in.readInt() != VERSION) {
            throw new IOException("the file holds no moderation classifier of version " + VERSION
                    + "; make one with `epitome moderation train`");
        }
        int count = in.readInt();
        if (count < 0 || count > Category.values().length) {
            throw new IOException("the moderation classifier is damaged: it says that it has " + count + " categories");
        }
        var heads = new Head[count];
        for (int i = 0; i < count; i++) {
            String word = in.readUTF();
            Category category =
                    Category.of(word).orElseThrow(() -> new IOException("there is no category '" + word + "'"));
            float threshold = in.readFloat();
            float bias = in.readFloat();
            float scale = in.readFloat();
            byte[] weights = new byte[NgramFeatures.PLACES];
            in.readFully(weights);
            heads[i] = new Head(category, threshold, bias, scale, weights);
        }
        return new LinearClassifier(List.of(heads));
    }

    /// Writes the file that is read above, compressed by gzip; the stream stays open.
    public void write(OutputStream stream) throws IOException {
        var packed = new GZIPOutputStream(stream);
        var out = new DataOutputStream(packed);
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeInt(heads.size());
        for (Head head : heads.values()) {
            out.writeUTF(head.category().word());
            out.writeFloat(head.threshold());
            out.writeFloat(head.bias());
            out.writeFloat(head.scale());
            out.write(head.weights());
        }
        out.flush();
        packed.finish();
    }

    @Override
    public String name() {
        return "epitome-linear";
    }

    /// Those that there were texts to learn from.
    public Set<Category> categories() {
        return heads.keySet();
    }

    @Override
    public double threshold(Category category) {
        Head head = heads.get(category);
        return head == null ? FLAGGED : head.threshold();
    }

    @Override
    public Map<Category, Double> scores(String text) {
        Map<Category, Double> scores = new EnumMap<>(Category.class);
        for (NgramFeatures.Window window : NgramFeatures.windows(text)) {
            heads.forEach((category, head) -> scores.merge(category, head.score(window), Math::max));
        }
        return scores;
    }

    /// The same bits everywhere.
    public static double sigmoid(double logit) {
        return 1 / (1 + StrictMath.exp(-logit));
    }
}
