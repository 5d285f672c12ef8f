package ai.epitome.train;

import ai.epitome.train.TrainingState.FileSum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// The checkpoints of one model's folder.
///
/// ```
/// MODEL/                              opens with Hugging Face tools at any moment
///   config.json tokenizer.json ...    as given
///   model.safetensors                 the weights of the newest whole checkpoint (a hard link where possible)
///   checkpoints/
///     lock                            held by the process that trains
///     step-000000400/                 whole: it has its final name
///       config.json tokenizer.json ...
///       model.safetensors  optimizer.safetensors
///       state.json                    where the run stood, and size and CRC-32C of every other file
///     step-000000600.tmp/             being written, or left behind by a kill; deleted at the next start
/// ```
///
/// A checkpoint is written under its `.tmp` name, every file forced to the disk, and renamed when whole; only then are
/// `model.safetensors` above replaced, by one rename, and older checkpoints deleted. So a kill, a power failure or a
/// full disk at any moment leaves the last whole checkpoint untouched. Writing happens on a thread of its own, one
/// checkpoint at a time. The methods are for one thread, the one that trains.
final class Checkpoints implements AutoCloseable {
    static final String TRAINING = "optimizer.safetensors";
    static final String STATE = "state.json";
    private static final String UNFINISHED = ".tmp";
    /// Headers, JSON files and folders on top of the tensors.
    private static final long MARGIN_BYTES = 4L << 20;

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /// A whole checkpoint.
    ///
    /// @param folder where it is
    /// @param state what its `state.json` says
    /// @param weights file of the weights
    record Checkpoint(Path folder, Path weights, TrainingState state) {
        Path training() {
            return folder.resolve(TRAINING);
        }
    }

    /// How writing ended.
    sealed interface Outcome {
        long step();

        /// The checkpoint is whole.
        record Written(long step, Path folder, long bytes, double seconds) implements Outcome {}

        /// It could not be written; the one before it is untouched.
        record Failed(long step, String message) implements Outcome {}
    }

    private final Path model;
    private final String weights;
    private final Path folder;
    private final int keep;
    private final CheckpointWriter writer;
    private final FileChannel lock;
    private final Snapshot.Memory memory = new Snapshot.Memory();
    private FutureTask<Outcome> pending;
    /// Step of the newest checkpoint that is known to be whole, or -1; those beyond it are damaged.
    private volatile long trusted = -1;

    /// Opens the checkpoints of `model`, which is made where it does not exist.
    ///
    /// @param weights what the file of the weights is called
    /// @param keep how many whole checkpoints are kept, at least 1
    /// @throws TrainingException if another process trains this model
    Checkpoints(Path model, String weights, int keep, CheckpointWriter writer) throws IOException {
        if (keep < 1) {
            throw new IllegalArgumentException("at least one checkpoint must be kept, not " + keep);
        }
        this.model = model;
        this.weights = weights;
        this.folder = model.resolve("checkpoints");
        this.keep = keep;
        this.writer = writer;
        Files.createDirectories(folder);
        this.lock = lock(folder.resolve("lock"));
        try {
            for (Path left : list(UNFINISHED)) {
                delete(left);
            }
        } catch (IOException e) {
            lock.close();
            throw e;
        }
    }

    private static FileChannel lock(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held;
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            held = null; // this very process
        }
        if (held == null) {
            channel.close();
            throw new TrainingException(
                    "%s is locked: this model is being trained already; stop that run, or give this one another folder"
                            .formatted(file));
        }
        return channel;
    }

    /// Memory for the next snapshot; waits for the checkpoint that is being written, whose copies it replaces.
    Snapshot.Memory memory() {
        if (pending != null) {
            throw new IllegalStateException("await the checkpoint that is being written first");
        }
        return memory;
    }

    /// Begins to write a snapshot. Ask [#poll] or [#await] how it ended before the next.
    void begin(Snapshot snapshot) {
        pending = new FutureTask<>(() -> write(snapshot));
        Thread.ofPlatform().name("epitome-checkpoint").start(pending);
    }

    /// The outcome of the checkpoint that was begun, once it has ended.
    Optional<Outcome> poll() {
        return pending != null && pending.isDone() ? await() : Optional.empty();
    }

    /// Waits for the checkpoint that was begun, if there is one.
    Optional<Outcome> await() {
        if (pending == null) {
            return Optional.empty();
        }
        try {
            Outcome outcome = pending.get();
            pending = null;
            return Optional.of(outcome);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrainingException("interrupted while a checkpoint was being written to " + folder, e);
        } catch (ExecutionException e) {
            pending = null;
            throw new IllegalStateException("writing a checkpoint to " + folder + " failed", e.getCause());
        }
    }

    private Outcome write(Snapshot snapshot) {
        long began = System.nanoTime();
        long step = snapshot.state().step();
        long needed = needed(snapshot);
        try {
            try {
                writeOnce(snapshot, needed);
            } catch (IOException full) {
                // Older checkpoints are worth less than this one; the newest whole one is never given up.
                if (prune(1) == 0) {
                    throw full;
                }
                writeOnce(snapshot, needed);
            }
            trusted = step;
            Path whole = folder.resolve(name(step));
            publish(whole, snapshot.companions());
            prune(keep);
            return new Outcome.Written(step, whole, needed, (System.nanoTime() - began) / 1e9);
        } catch (IOException e) {
            return new Outcome.Failed(step, message(step, needed, e));
        }
    }

    private String message(long step, long needed, IOException cause) {
        String available;
        try {
            available = "%,d bytes are available".formatted(writer.available(folder));
        } catch (IOException e) {
            available = "how much is available cannot be told (" + e.getMessage() + ")";
        }
        return "the checkpoint of step %,d could not be written to %s: %s. It needs %,d bytes, %s. %s Free some space there."
                .formatted(
                        step,
                        folder,
                        cause instanceof AccessDeniedException denied
                                ? "no permission to write " + denied.getFile()
                                : cause.getMessage(),
                        needed,
                        available,
                        newestName()
                                .map(name -> "The checkpoint " + name + " is whole and kept.")
                                .orElse("There is no earlier checkpoint."));
    }

    private Optional<String> newestName() {
        return trusted < 0 ? Optional.empty() : Optional.of(name(trusted));
    }

    private static long needed(Snapshot snapshot) {
        long companions = 0;
        for (byte[] content : snapshot.companions().values()) {
            companions += content.length;
        }
        return Snapshot.bytes(snapshot.weights()) + Snapshot.bytes(snapshot.training()) + companions + MARGIN_BYTES;
    }

    private void writeOnce(Snapshot snapshot, long needed) throws IOException {
        if (writer.available(folder) < needed) {
            throw new IOException("the disk is too full");
        }
        long step = snapshot.state().step();
        Path part = folder.resolve(name(step) + UNFINISHED);
        delete(part);
        try {
            Files.createDirectory(part);
            writer.tensors(part.resolve(weights), snapshot.weights());
            writer.tensors(part.resolve(TRAINING), snapshot.training());
            for (Map.Entry<String, byte[]> companion : snapshot.companions().entrySet()) {
                writer.bytes(part.resolve(companion.getKey()), companion.getValue());
            }
            Map<String, FileSum> sums = new TreeMap<>();
            try (Stream<Path> files = Files.list(part)) {
                for (Path file : files.toList()) {
                    sums.put(file.getFileName().toString(), sum(file));
                }
            }
            writer.bytes(
                    part.resolve(STATE), JSON.writeValueAsBytes(snapshot.state().withFiles(sums)));
            force(part);
            Path whole = folder.resolve(name(step));
            delete(whole); // of a run that was turned back
            Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE);
            force(folder);
        } catch (IOException e) {
            delete(part);
            throw e;
        }
    }

    /// Makes the model's folder show this checkpoint's weights.
    void publish(Checkpoint checkpoint, SequencedMap<String, byte[]> companions) throws IOException {
        publish(checkpoint.folder(), companions);
    }

    private void publish(Path whole, SequencedMap<String, byte[]> companions) throws IOException {
        for (Map.Entry<String, byte[]> companion : companions.entrySet()) {
            Path file = model.resolve(companion.getKey());
            if (!Files.exists(file) || !Arrays.equals(Files.readAllBytes(file), companion.getValue())) {
                writer.bytes(file, companion.getValue());
            }
        }
        Path beside = model.resolve(weights + UNFINISHED);
        Files.deleteIfExists(beside);
        try {
            Files.createLink(beside, whole.resolve(weights));
        } catch (UnsupportedOperationException | FileAlreadyExistsException e) {
            throw new IOException("cannot link " + beside, e);
        } catch (IOException e) {
            Files.copy(whole.resolve(weights), beside); // a file system without hard links
        }
        Files.move(beside, model.resolve(weights), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(model);
    }

    /// Deletes all checkpoints but the newest `count` whole ones. Those that were passed over as damaged go first: they
    /// must not count as the newest. Returns how many went.
    private int prune(int count) throws IOException {
        int kept = 0;
        int deleted = 0;
        for (Path checkpoint : list("")) {
            if (step(checkpoint) <= trusted && kept < count) {
                kept++;
            } else {
                delete(checkpoint);
                deleted++;
            }
        }
        return deleted;
    }

    /// The newest checkpoint that is as it was written. Damaged ones are passed over, each with a message.
    ///
    /// @throws TrainingException if there are checkpoints and none can be used: beginning anew would replace them
    Optional<Checkpoint> newest(Consumer<String> notice) throws IOException {
        List<Path> candidates = list("");
        String damage = "";
        for (Path candidate : candidates) {
            try {
                Checkpoint found = new Checkpoint(candidate, candidate.resolve(weights), verified(candidate));
                trusted = step(candidate);
                return Optional.of(found);
            } catch (IOException | JacksonException e) {
                damage = e instanceof JacksonException j ? j.getOriginalMessage() : e.getMessage();
                notice.accept("the checkpoint %s is damaged and passed over: %s".formatted(candidate, damage));
            }
        }
        if (!candidates.isEmpty()) {
            throw new TrainingException(
                    "none of the %d checkpoints in %s can be used, the oldest one because: %s. To begin anew, delete that folder"
                            .formatted(candidates.size(), folder, damage));
        }
        return Optional.empty();
    }

    private static TrainingState verified(Path checkpoint) throws IOException {
        Path file = checkpoint.resolve(STATE);
        TrainingState state = JSON.readValue(Files.readAllBytes(file), TrainingState.class);
        if (state.version() != TrainingState.VERSION) {
            throw new TrainingException(
                    "%s is of version %d, this program goes on from version %d: use the one that wrote it, or another model folder"
                            .formatted(file, state.version(), TrainingState.VERSION));
        }
        if (state.files() == null || state.guard() == null || state.kernels() == null || state.data() == null) {
            throw new IOException(file + " is incomplete");
        }
        for (Map.Entry<String, FileSum> expected : state.files().entrySet()) {
            Path one = checkpoint.resolve(expected.getKey());
            if (!Files.exists(one)) {
                throw new IOException(one + " is missing");
            }
            FileSum found = sum(one);
            if (!found.equals(expected.getValue())) {
                throw new IOException("%s has %,d bytes with checksum %s, expected %,d with %s"
                        .formatted(
                                one,
                                found.bytes(),
                                found.crc32c(),
                                expected.getValue().bytes(),
                                expected.getValue().crc32c()));
            }
        }
        return state;
    }

    private static FileSum sum(Path file) throws IOException {
        CRC32C crc = new CRC32C();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            while (channel.read(buffer) >= 0) {
                crc.update(buffer.flip());
                buffer.clear();
            }
            return new FileSum(size, "%08x".formatted(crc.getValue()));
        }
    }

    /// Checkpoints with this ending, the newest first.
    private List<Path> list(String suffix) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(path -> path.getFileName().toString().matches("step-\\d{9,18}" + suffix.replace(".", "\\.")))
                    .forEach(found::add);
        }
        found.sort(Comparator.comparingLong(Checkpoints::step).reversed());
        return found;
    }

    private static long step(Path checkpoint) {
        return Long.parseLong(checkpoint.getFileName().toString().replaceAll("\\D", ""));
    }

    private static String name(long step) {
        return "step-%09d".formatted(step);
    }

    private static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> inside = Files.walk(path)) {
            for (Path one : inside.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(one);
            }
        }
    }

    /// A rename survives a power failure once its folder is on the disk. Not every system can open a folder.
    private static void force(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // The files themselves are on the disk; only how soon the rename is durable is left to the system.
        }
    }

    /// Waits for what is being written and lets other processes in.
    @Override
    public void close() throws IOException {
        try {
            await();
        } finally {
            memory.close();
            lock.close();
        }
    }
}
