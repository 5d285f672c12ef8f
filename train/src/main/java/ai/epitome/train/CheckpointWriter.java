package ai.epitome.train;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.model.huggingface.SafetensorsWriter;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Puts a checkpoint's files on the disk. Tests put a disk in its place that fills up.
interface CheckpointWriter {
    /// Writes a safetensors file and forces it to the disk.
    void tensors(Path file, List<Item> items) throws IOException;

    /// Writes any other file and forces it to the disk.
    void bytes(Path file, byte[] content) throws IOException;

    /// Bytes that may still be written where `folder` is.
    long available(Path folder) throws IOException;

    /// The disk itself.
    CheckpointWriter DISK = new CheckpointWriter() {
        @Override
        public void tensors(Path file, List<Item> items) throws IOException {
            SafetensorsWriter.write(file, Map.of("format", "pt"), items);
        }

        @Override
        public void bytes(Path file, byte[] content) throws IOException {
            AtomicFile.write(file, channel -> {
                ByteBuffer buffer = ByteBuffer.wrap(content);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            });
        }

        @Override
        public long available(Path folder) throws IOException {
            return Files.getFileStore(folder).getUsableSpace();
        }
    };
}
