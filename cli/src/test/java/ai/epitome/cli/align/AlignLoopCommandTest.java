package ai.epitome.cli.align;

import static ai.epitome.cli.CommandResult.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.cli.CommandResult;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.store.PromotionStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlignLoopCommandTest {
    @TempDir
    static Path folder;

    private static Path model;
    private static Path feedback;

    @BeforeAll
    static void trains() throws IOException {
        StringBuilder words = new StringBuilder();
        StringBuilder lines = new StringBuilder();
        Random random = new Random(3);
        for (int i = 0; i < 400; i++) {
            words.append(random.nextBoolean() ? "aaaa " : "zzzz ");
        }
        for (int i = 0; i < 60; i++) {
            lines.append("{\"prompt\": \"%d: \", \"chosen\": \"aaaa aaaa aaaa\", \"rejected\": \"zzzz zzzz zzzz\"}\n"
                    .formatted(i));
        }
        Path text = Files.writeString(folder.resolve("text.txt"), words);
        feedback = Files.writeString(folder.resolve("feedback.jsonl"), lines);
        model = folder.resolve("tiny");
        done(
                "pretrain",
                text.toString(),
                "-o",
                model.toString(),
                "--depth",
                "1",
                "--context",
                "48",
                "--batch",
                "4",
                "--steps",
                "150",
                "--threads",
                "1");
    }

    private static String database() {
        return folder.resolve("accounts.db").toString();
    }

    private static CommandResult loop(String to, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("align", "loop", model.toString(), "-o"));
        arguments.addAll(List.of(folder.resolve(to).toString(), "--database", database(), "--threads", "1"));
        arguments.addAll(List.of("--feedback", feedback.toString(), "--max-tokens", "12", "-n", "2"));
        arguments.addAll(List.of("--epochs", "20", "--judge-epochs", "10", "--most-kl", "100"));
        arguments.addAll(List.of(more));
        return CommandResult.run(arguments.toArray(String[]::new));
    }

    private static Optional<Path> serving() {
        try (Accounts accounts = new Accounts(Database.open(database()))) {
            return new PromotionStore(accounts.database()).current("tiny").map(PromotionStore.Promotion::adapter);
        }
    }

    /// From feedback to what is served, further from there, and back.
    @Test
    void roundAfterRoundIsPromotedAndTakenBack() throws IOException {
        CommandResult first = loop("1");
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.err())
                .contains("better: the judge prefers")
                .contains("not promoted: the same command with --promote does it");
        assertThat(folder.resolve("1/report/report.md")).content().contains("this round's adapter");
        assertThat(Files.readAllLines(folder.resolve("1/learned.jsonl"))).hasSize(30);
        assertThat(serving()).isEmpty();
        CommandResult again = loop("1", "--promote");
        assertThat(again.err())
                .contains("going on with the round in")
                .doesNotContain("ETA")
                .contains("promoted: " + folder.resolve("1/adapter") + " answers for tiny");
        assertThat(serving()).contains(folder.resolve("1/adapter"));
        CommandResult second = loop("2");
        assertThat(second.code()).as(second.err()).isZero();
        assertThat(Files.readString(folder.resolve("2/round.json"))).contains("1/adapter");
        assertThat(loop("1", "--judge", folder.resolve("1/judge").toString()).err())
                .contains("with a judge of its own; give these, or another folder");
        assertThat(done("align", "rollback", model.toString(), "--database", database())
                        .err())
                .contains("taken back: " + folder.resolve("1/adapter") + "; now the model itself answers for tiny");
        assertThat(serving()).isEmpty();
        assertThat(CommandResult.run("align", "rollback", model.toString(), "--database", database())
                        .err())
                .contains("nothing has been promoted for tiny");
    }

    @Test
    void whatCannotBeLearnedFromIsTold() throws IOException {
        String none = folder.resolve("empty.db").toString();
        assertThat(CommandResult.run(
                                "align",
                                "loop",
                                model.toString(),
                                "-o",
                                folder.resolve("none").toString(),
                                "--database",
                                none)
                        .err())
                .contains("compares answers to 0 requests, and a round wants 10 or more");
        Path bad = Files.writeString(folder.resolve("bad.jsonl"), "{\"chosen\": \"a\", \"rejected\": \"b\"}\n");
        assertThat(CommandResult.run(
                                "align",
                                "loop",
                                model.toString(),
                                "-o",
                                folder.resolve("bad").toString(),
                                "--database",
                                none,
                                "--feedback",
                                bad.toString())
                        .err())
                .contains("preferences.jsonl, line 1: has no `prompt`");
    }

    /// By hand: 60 of 100 has Wilson's interval 0.5020 to 0.6906.
    @Test
    void betterIsBeyondChance() {
        assertThat(AlignVerdict.least(0.6, 100)).isCloseTo(0.5020, within(1e-4));
        assertThat(AlignVerdict.least(0.59, 100)).isLessThan(0.5);
        assertThat(new AlignVerdict(0.6, 0.502, 3, 10, Double.NaN).better()).isTrue();
        assertThat(new AlignVerdict(0.6, 0.499, 3, 10, Double.NaN).better()).isFalse();
        assertThat(new AlignVerdict(0.6, 0.502, 11, 10, Double.NaN).better()).isFalse();
        assertThat(new AlignVerdict(0.6, 0.502, 3, 10, 0.031).better()).isFalse();
        assertThat(new AlignVerdict(0.6, 0.502, 3, 10, 0.029).inWords())
                .isEqualTo(
                        "better: the judge prefers 60.0 % of the answers (at least 50.2 %), at 3.00 nats, plain texts cost +2.90 %");
    }
}
