package ai.epitome.cli.align;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.WholeFile;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The files of a round of `epitome align loop`:
///
/// ```text
/// FOLDER/preferences.jsonl   the feedback, as it was when the round began
///        learned.jsonl       the part that the adapter learns from
///        judged.jsonl        the other part: the judge's, and the requests that both are asked
///        round.json          what the round is; written last, so that it has begun whole or not at all
///        judge/  adapter/  report/
/// ```
///
/// All pairs of one request are on the same side. Requests are taken in the order of their hashes, by turns.
///
/// @param source the model
/// @param judge a reward model that is there; empty where one is taught
/// @param begun the adapter that answered for the model when the round began
record AlignRound(Path folder, Path source, Optional<Path> judge, Optional<Path> begun) {
    private static final String FILE = "round.json";
    private static final String PREFERENCES = "preferences.jsonl";
    /// One request in so many is kept from the adapter: where it teaches the judge, and where it is only asked.
    private static final int JUDGED_ONE_IN = 2;
    private static final int ASKED_ONE_IN = 5;
    private static final int LEAST_REQUESTS = 10;

    /// Where feedback comes from.
    @FunctionalInterface
    interface Feedback {
        byte[] read() throws IOException;
    }

    /// The round in a folder, where one has begun, or a new one.
    ///
    /// @param served the adapter that answers for the model now
    /// @throws IllegalArgumentException if the folder has a round of another model or judge, or there is too little
    /// feedback
    static AlignRound open(Path folder, Path source, Optional<Path> judge, Optional<Path> served, Feedback feedback)
            throws IOException {
        Path file = folder.resolve(FILE);
        if (Files.exists(file)) {
            return begun(folder, Json.MAPPER.readTree(Files.readAllBytes(file)), source, judge);
        }
        Files.createDirectories(folder);
        byte[] all = feedback.read();
        write(folder.resolve(PREFERENCES), all);
        SortedMap<String, List<JsonRecord>> requests = requests(folder.resolve(PREFERENCES));
        if (requests.size() < LEAST_REQUESTS) {
            throw new IllegalArgumentException(
                    "the feedback compares answers to %d requests, and a round wants %d or more: gather more in the chat (two answers side by side, thumbs), or give --feedback FILE"
                            .formatted(requests.size(), LEAST_REQUESTS));
        }
        AlignRound round = new AlignRound(folder, source, judge, served);
        round.split(requests);
        ObjectNode json = Json.MAPPER
                .createObjectNode()
                .put("model", round.identity())
                .put("judge", judge.map(AlignRound::absolute).orElse(null))
                .put("begun", served.map(Path::toString).orElse(null))
                .put("requests", requests.size());
        write(file, (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
        return round;
    }

    private static AlignRound begun(Path folder, JsonNode json, Path source, Optional<Path> judge) {
        AlignRound round = new AlignRound(
                folder,
                source,
                judge,
                Optional.ofNullable(json.path("begun").asString(null)).map(Path::of));
        String model = json.path("model").asString("");
        String judged = json.path("judge").asString("");
        if (!model.equals(round.identity())
                || !judged.equals(judge.map(AlignRound::absolute).orElse(""))) {
            throw new IllegalArgumentException(
                    "the round in %s is of the model %s with %s; give these, or another folder"
                            .formatted(folder, model, judged.isEmpty() ? "a judge of its own" : "the judge " + judged));
        }
        System.err.println("going on with the round in " + folder);
        return round;
    }

    private String identity() {
        return absolute(source);
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }

    private static void write(Path file, byte[] content) throws IOException {
        WholeFile.write(file, out -> out.write(content));
    }

    /// Records by the hash of what was asked.
    private static SortedMap<String, List<JsonRecord>> requests(Path file) throws IOException {
        SortedMap<String, List<JsonRecord>> requests = new TreeMap<>();
        if (Files.size(file) == 0) {
            return requests;
        }
        try (RecordReader reader = Corpus.of(List.of(file)).openRecords()) {
            for (JsonRecord record = reader.next(); record != null; record = reader.next()) {
                JsonNode prompt = record.json().path("prompt");
                if (prompt.isMissingNode()) {
                    throw new CorpusException("%s, line %d: has no `prompt`, so the answers answer nothing"
                            .formatted(file, record.line()));
                }
                requests.computeIfAbsent(hash(prompt.toString()), _ -> new ArrayList<>())
                        .add(record);
            }
        }
        return requests;
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private void split(SortedMap<String, List<JsonRecord>> requests) throws IOException {
        int every = judge.isPresent() ? ASKED_ONE_IN : JUDGED_ONE_IN;
        StringBuilder learned = new StringBuilder();
        StringBuilder judged = new StringBuilder();
        int number = 0;
        for (List<JsonRecord> records : requests.values()) {
            StringBuilder side = number++ % every == 0 ? judged : learned;
            records.forEach(record -> side.append(record.json()).append('\n'));
        }
        write(learned(), learned.toString().getBytes(StandardCharsets.UTF_8));
        write(judged(), judged.toString().getBytes(StandardCharsets.UTF_8));
    }

    Path learned() {
        return folder.resolve("learned.jsonl");
    }

    Path judged() {
        return folder.resolve("judged.jsonl");
    }

    Path ownJudge() {
        return folder.resolve("judge");
    }

    Path adapter() {
        return folder.resolve("adapter");
    }

    Path report() {
        return folder.resolve("report");
    }
}
