package ai.epitome.cli.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.cli.CommandResult;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.Document;
import ai.epitome.train.data.DocumentReader;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.sound.sampled.AudioFileFormat;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files of many kinds there and back by the commands: by mixing, and by a trained model (`-Depitome.model=FOLDER`).
/// Prints what they shrink to.
@Tag("long")
class RealFilesTest {
    private static final int SAMPLE = 60_000;
    private static final int SHORT_SAMPLE = 20_000; // a model is slower
    private static final int PACKED = 200_000;

    @TempDir
    Path folder;

    @Test
    void byMixing() throws IOException {
        for (Map.Entry<String, byte[]> file : files(1 << 20, SAMPLE).entrySet()) {
            assertComesBack(file.getKey(), file.getValue());
        }
    }

    @Test
    void byATrainedModel() throws IOException {
        Path model = Path.of(System.getProperty("epitome.model", "../models/enwiki"));
        assumeTrue(Files.isDirectory(model), "no model " + model);
        for (Map.Entry<String, byte[]> file : files(SHORT_SAMPLE, SHORT_SAMPLE).entrySet()) {
            assertComesBack(file.getKey(), file.getValue(), "-m", model.toString(), "--block", "4k");
        }
    }

    private void assertComesBack(String name, byte[] content, String... options) throws IOException {
        Path file = Files.write(folder.resolve(name), content);
        Path archive = folder.resolve(name + ".epi");
        done("compress", file, options);
        assertThat(file).doesNotExist();
        long size = Files.size(archive);
        System.out.printf("%-28s %,9d -> %,9d%n", name, content.length, size);
        assertThat(size).isLessThanOrEqualTo(content.length + content.length / 100 + 600);
        done("decompress", archive, Arrays.copyOf(options, Math.min(2, options.length))); // without the block size
        assertThat(file).hasBinaryContent(content);
    }

    private static void done(String command, Path file, String... options) throws IOException {
        String[] arguments = Arrays.copyOf(options, options.length + 2);
        System.arraycopy(options, 0, arguments, 1, options.length);
        arguments[0] = command;
        arguments[options.length + 1] = file.toString();
        CommandResult result = CommandResult.run(new byte[0], arguments);
        assertThat(result.code()).as(result.err()).isZero();
    }

    /// @param most bytes of a file of the compression folder, and of noise
    /// @param sample bytes of a training text
    private static Map<String, byte[]> files(int most, int sample) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("empty", new byte[0]);
        files.put("one", new byte[] {-1});
        byte[] random = new byte[most];
        new Random(1).nextBytes(random);
        files.put("random", random);
        files.put("picture.png", picture());
        files.put("sound.wav", sound());
        Path data = Path.of(System.getProperty("epitome.shared", "../../shared"), "data");
        assumeTrue(Files.isDirectory(data), "no folder " + data);
        try (Stream<Path> paths = Files.list(data.resolve("compression"))) {
            for (Path path : paths.sorted().toList()) {
                byte[] content = Files.readAllBytes(path);
                int limit = path.toString().endsWith(".zst") ? Math.min(most, PACKED) : most;
                files.put(path.getFileName().toString(), Arrays.copyOf(content, Math.min(limit, content.length)));
            }
        }
        files.put("dickens.txt", sample(data.resolve("compression/dickens.txt.zst"), Math.min(most, PACKED)));
        try (Stream<Path> paths = Files.list(data.resolve("pretrain"))) {
            for (Path path : paths.sorted().toList()) {
                files.put(path.getFileName().toString().replaceFirst("\\..*", ""), sample(path, sample));
            }
        }
        return files;
    }

    private static byte[] sample(Path path, int most) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (DocumentReader documents = Corpus.of(List.of(path)).open()) {
            for (Document next = documents.next(); next != null && text.size() < most; next = documents.next()) {
                text.writeBytes(next.text());
            }
        }
        return Arrays.copyOf(text.toByteArray(), Math.min(most, text.size()));
    }

    private static byte[] picture() throws IOException {
        BufferedImage image = new BufferedImage(200, 150, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setPaint(new GradientPaint(0, 0, Color.BLUE, 200, 150, Color.ORANGE));
        graphics.fillRect(0, 0, 200, 150);
        graphics.setPaint(Color.WHITE);
        graphics.fillOval(40, 30, 90, 70);
        graphics.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(image, "png", bytes);
        return bytes.toByteArray();
    }

    /// Half a second of a chord, 16 bits at 22,050 Hz.
    private static byte[] sound() throws IOException {
        byte[] samples = new byte[22_050];
        for (int i = 0; i < samples.length / 2; i++) {
            double t = i / 22_050.0;
            double value = Math.sin(2 * Math.PI * 440 * t) + Math.sin(2 * Math.PI * 554.37 * t);
            int sample = (int) (8_000 * value * Math.exp(-t));
            samples[2 * i] = (byte) sample;
            samples[2 * i + 1] = (byte) (sample >> 8);
        }
        AudioFormat format = new AudioFormat(22_050, 16, 1, true, false);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (AudioInputStream sound =
                new AudioInputStream(new ByteArrayInputStream(samples), format, samples.length / 2)) {
            AudioSystem.write(sound, AudioFileFormat.Type.WAVE, bytes);
        }
        return bytes.toByteArray();
    }
}
