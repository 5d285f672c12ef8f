package ai.epitome.model.huggingface;

import ai.epitome.model.file.JsonObject;
import ai.epitome.model.file.MalformedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The tensors of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
public final class WeightFiles implements AutoCloseable {
    public static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private final Path folder;
    private final List<Safetensors> files = new ArrayList<>();
    private final Map<String, Safetensors.Entry> entries = new LinkedHashMap<>();

    private WeightFiles(Path folder) {
        this.folder = folder;
    }

    /// Maps the files of a folder.
    ///
    /// @throws MalformedModelException when it has none, or one of them breaks its format
    public static WeightFiles open(Path folder) throws IOException {
        WeightFiles weights = new WeightFiles(folder);
        try {
            if (Files.exists(folder.resolve(SINGLE))) {
                weights.add(Safetensors.open(folder.resolve(SINGLE)));
            } else if (Files.exists(folder.resolve(INDEX))) {
                weights.addShards(JsonObject.read(folder.resolve(INDEX)));
            } else {
                throw new MalformedModelException(folder, "has neither %s nor %s".formatted(SINGLE, INDEX));
            }
            return weights;
        } catch (IOException | RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private void addShards(JsonObject index) throws IOException {
        JsonObject map = index.object("weight_map");
        Set<String> names = new LinkedHashSet<>();
        for (String tensor : map.node().propertyNames()) {
            names.add(map.text(tensor));
        }
        for (String name : names) {
            // an index may name files beside it and nothing else
            if (!name.matches("[\\w.-]+") || name.equals(".") || name.equals("..")) {
                throw new MalformedModelException(
                        index.file(), "`weight_map` names \"%s\", expected a file in the same folder".formatted(name));
            }
            add(Safetensors.open(folder.resolve(name)));
        }
        for (String tensor : map.node().propertyNames()) {
            Safetensors.Entry entry = entries.get(tensor);
            if (entry == null) {
                throw new MalformedModelException(
                        index.file(), "tensor `%s` is not in %s".formatted(tensor, map.text(tensor)));
            }
        }
    }

    private void add(Safetensors file) throws MalformedModelException {
        files.add(file);
        for (Safetensors.Entry entry : file.entries().values()) {
            if (entries.putIfAbsent(entry.name(), entry) != null) {
                throw new MalformedModelException(
                        file.file(), "tensor `%s` is in another shard too".formatted(entry.name()));
            }
        }
    }

    /// All tensors of all files by name.
    public Map<String, Safetensors.Entry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    @Override
    public void close() {
        files.forEach(Safetensors::close);
    }
}
