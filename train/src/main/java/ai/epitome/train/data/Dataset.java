package ai.epitome.train.data;

import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A corpus, split and turned into tokens: made once, kept in a cache folder, memory-mapped from then on.
///
/// ```
/// CACHE/<key>/index.json            what is in here; written last
///             train-00000.tokens    token shards, see the class TokenShard
///             held-out-00000.tokens
///             baselines.json        what gzip and others pay for the held-out text, once measured
/// ```
///
/// The key stands for the text, the held-out rule and the tokenizer. The folder is made under another name and renamed
/// when it is whole; one that turns out to be damaged is made again.
///
/// @param train tokens to train on
/// @param heldOut tokens to measure on
/// @param rule which text is held out
/// @param summary what the corpus holds
/// @param folder where it is kept
/// @param notice why the cache was made again, or empty
public record Dataset(
        TokenShards train, TokenShards heldOut, HeldOut rule, CorpusSummary summary, Path folder, String notice)
        implements AutoCloseable {
    private static final String INDEX = "index.json";
    private static final JsonMapper JSON = new JsonMapper();

    /// Opens the cached tokens of a corpus, or makes them.
    ///
    /// @param corpus the text
    /// @param summary what [Corpus#scan] said of it
    /// @param rule which text is held out
    /// @param tokenizer safe for use by several threads; must keep text byte for byte
    /// @param cache folder for the datasets of all corpora
    /// @param threads how many threads tokenise
    /// @param progress told the bytes of text done so far; not called when the cache is used
    /// @throws CorpusException if one side of the split is empty, the tokenizer loses bytes, or the disk is full
    public static Dataset prepare(
            Corpus corpus,
            CorpusSummary summary,
            HeldOut rule,
            Tokenizer tokenizer,
            Path cache,
            int threads,
            LongConsumer progress)
            throws IOException {
        TokenTable table = TokenTable.of(tokenizer);
        String content = sha256(summary.sha256() + rule);
        Path folder = cache.resolve(
                sha256(content + table.sha256() + TokenShard.VERSION).substring(0, 16));
        String notice = "";
        if (Files.isDirectory(folder)) {
            try {
                return open(folder, table, content, rule, summary, notice);
            } catch (CorpusException | JacksonException e) {
                notice = "the cached tokens are made again: " + e.getMessage();
                delete(folder);
            }
        }
        Files.createDirectories(cache);
        deleteLeftovers(cache);
        Path part = Files.createTempDirectory(
                cache, "part-" + ProcessHandle.current().pid() + "-");
        try {
            new DatasetBuilder(part, table, content, threads, progress).build(corpus, rule, tokenizer);
            writeIndex(part, table, content, summary, rule);
            publish(part, folder);
        } finally {
            delete(part);
        }
        return open(folder, table, content, rule, summary, notice);
    }

    @Override
    public void close() {
        train.close();
        heldOut.close();
    }

    /// What is recorded of the data in a model's folder: the files with their hashes, the counts, the held-out rule.
    public ObjectNode toJson() {
        ObjectNode json = describe(summary, rule);
        json.putObject("train")
                .put("documents", train.documents())
                .put("tokens", train.tokens())
                .put("bytes", train.bytes());
        json.putObject("held_out")
                .put("documents", heldOut.documents())
                .put("tokens", heldOut.tokens())
                .put("bytes", heldOut.bytes());
        return json;
    }

    private static Dataset open(
            Path folder, TokenTable table, String content, HeldOut rule, CorpusSummary summary, String notice)
            throws IOException {
        Path index = folder.resolve(INDEX);
        if (!Files.exists(index)) {
            throw new CorpusException(folder + " has no " + INDEX);
        }
        JsonNode json = JSON.readTree(Files.readString(index));
        TokenShards train = openSide(folder, json, "train", table, content);
        try {
            return new Dataset(
                    train, openSide(folder, json, "held_out", table, content), rule, summary, folder, notice);
        } catch (IOException | RuntimeException e) {
            train.close();
            throw e;
        }
    }

    private static TokenShards openSide(Path folder, JsonNode index, String side, TokenTable table, String content)
            throws IOException {
        TokenShards shards = TokenShards.open(files(folder, index, side + "_shards"), table, content);
        long expected = index.path(side + "_tokens").asLong(-1);
        if (shards.tokens() != expected) {
            long found = shards.tokens();
            shards.close();
            throw new CorpusException("%s: expected %,d %s tokens, found %,d in the shards beside it"
                    .formatted(folder.resolve(INDEX), expected, side, found));
        }
        return shards;
    }

    private static List<Path> files(Path folder, JsonNode index, String field) throws CorpusException {
        List<Path> files = index.path(field)
                .valueStream()
                .map(name -> folder.resolve(name.asString("")))
                .toList();
        if (files.isEmpty()) {
            throw new CorpusException(folder.resolve(INDEX) + " names no " + field);
        }
        for (Path file : files) {
            if (!Files.isRegularFile(file)) {
                throw new CorpusException("the token shard " + file + " is missing");
            }
        }
        return files;
    }

    private static ObjectNode describe(CorpusSummary summary, HeldOut rule) {
        ObjectNode json = JSON.createObjectNode();
        json.put("documents", summary.documents()).put("bytes", summary.bytes()).put("sha256", summary.sha256());
        DataFile.record(summary.files(), json);
        json.set("split", rule.toJson());
        return json;
    }

    private static void writeIndex(Path folder, TokenTable table, String content, CorpusSummary summary, HeldOut rule)
            throws IOException {
        ObjectNode json = describe(summary, rule);
        json.put("tokenizer_sha256", table.sha256()).put("content_sha256", content);
        for (String side : List.of("train", "held_out")) {
            String prefix = side.replace('_', '-') + "-";
            List<Path> files;
            try (Stream<Path> all = Files.list(folder)) {
                files = all.filter(file -> file.getFileName().toString().startsWith(prefix))
                        .sorted()
                        .toList();
            }
            ArrayNode names = json.putArray(side + "_shards");
            files.forEach(file -> names.add(file.getFileName().toString()));
            try (TokenShards shards = TokenShards.open(files, table, content)) {
                json.put(side + "_tokens", shards.tokens());
            }
        }
        Files.writeString(folder.resolve(INDEX), json.toPrettyString() + "\n");
    }

    private static void publish(Path part, Path folder) throws IOException {
        try {
            Files.move(part, folder);
        } catch (IOException e) {
            // Another process made the same dataset meanwhile: its folder is as good as ours.
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        }
    }

    /// Removes unfinished folders of processes that are gone.
    private static void deleteLeftovers(Path cache) throws IOException {
        try (Stream<Path> folders = Files.list(cache)) {
            for (Path folder : folders.toList()) {
                String[] name = folder.getFileName().toString().split("-");
                if (name.length == 3
                        && name[0].equals("part")
                        && name[1].matches("\\d{1,18}")
                        && ProcessHandle.of(Long.parseLong(name[1])).isEmpty()) {
                    delete(folder);
                }
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> inside = Files.walk(folder)) {
            for (Path path : inside.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static String sha256(String text) {
        return HexFormat.of().formatHex(Document.newSha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }
}
