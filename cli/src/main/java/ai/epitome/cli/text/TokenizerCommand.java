package ai.epitome.cli.text;

import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Visible;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import ai.epitome.train.data.Corpus;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.core.JacksonException;

/// `epitome tokenizer`: trains tokenizers and uses them.
@Command(
        name = "tokenizer",
        description = "Train tokenizers; turn text into token ids and back.",
        mixinStandardHelpOptions = true,
        subcommands = {
            TokenizerCommand.Train.class,
            TokenizerCommand.Encode.class,
            TokenizerCommand.Decode.class,
            TokenizerCommand.Info.class
        },
        footer = {"", "Example: epitome tokenizer train articles.jsonl.zst --vocabulary 32768 -o tokenizer.json"})
public final class TokenizerCommand {
    @Command(
            name = "train",
            description = "Train byte-level byte-pair encoding on texts.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome tokenizer train articles.jsonl.zst --vocabulary 32768 -o tokenizer.json"})
    static final class Train implements Callable<Integer> {
        @Parameters(arity = "1..*", paramLabel = "TEXT", description = "Files or folders, as for pretrain.")
        private List<Path> texts;

        @Option(
                names = "--vocabulary",
                paramLabel = "N",
                description = "Number of tokens (default: ${DEFAULT-VALUE}).",
                converter = Numbers.Count.class)
        private int vocabulary = 32_768;

        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                description = "Where to write it (default: ${DEFAULT-VALUE}).")
        private Path output = Path.of("tokenizer.json");

        @Option(
                names = "--threads",
                paramLabel = "N",
                description = "Threads (default: all ${DEFAULT-VALUE} processors).",
                converter = Numbers.Count.class)
        private int threads = Runtime.getRuntime().availableProcessors();

        @Override
        public Integer call() throws IOException {
            long began = System.nanoTime();
            try (CorpusTexts documents = CorpusTexts.all(Corpus.of(texts))) {
                if (!documents.hasNext()) {
                    throw new IllegalArgumentException(
                            "there is not one byte of text in %s; give a file that holds some".formatted(texts));
                }
                Tokenizer tokenizer = BytePairTrainer.train(documents, vocabulary, threads);
                Tokenizers.save(tokenizer, output);
                System.err.printf(
                        "%s: %,d tokens, trained in %.1f s%n",
                        output, tokenizer.vocabularySize(), (System.nanoTime() - began) / 1e9);
            }
            return 0;
        }
    }

    @Command(
            name = "encode",
            description = "Print the token ids of a text as one JSON array.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: echo Hello | epitome tokenizer encode --tokenizer models/shakespeare"})
    static final class Encode implements Callable<Integer> {
        @Option(
                names = "--tokenizer",
                required = true,
                paramLabel = "PATH",
                description = "Tokenizer file or model folder.")
        private Path tokenizer;

        @Parameters(arity = "0..1", paramLabel = "FILE", description = "Text; - or nothing: standard input.")
        private Path file;

        @Override
        public Integer call() throws IOException {
            int[] ids = Tokenizers.load(tokenizer).encode(StandardText.readBytes(file));
            PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, StandardCharsets.UTF_8);
            out.println(Arrays.toString(ids));
            out.flush();
            return 0;
        }
    }

    @Command(
            name = "decode",
            description = "Turn a JSON array of token ids back into the bytes that it came from.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: echo '[72, 105]' | epitome tokenizer decode --tokenizer models/shakespeare"})
    static final class Decode implements Callable<Integer> {
        @Option(
                names = "--tokenizer",
                required = true,
                paramLabel = "PATH",
                description = "Tokenizer file or model folder.")
        private Path tokenizer;

        @Parameters(arity = "0..1", paramLabel = "FILE", description = "JSON; - or nothing: standard input.")
        private Path file;

        @Override
        public Integer call() throws IOException {
            Tokenizer loaded = Tokenizers.load(tokenizer);
            int[] ids;
            try {
                ids = Json.MAPPER.readValue(StandardText.readBytes(file), int[].class);
            } catch (JacksonException e) {
                throw new IllegalArgumentException(
                        "expected a JSON array of token ids such as [72, 105]: " + e.getOriginalMessage(), e);
            }
            for (int id : ids) {
                if (id < 0 || id >= loaded.vocabularySize()) {
                    throw new IllegalArgumentException(
                            "token id %d: %s knows ids 0 to %d".formatted(id, tokenizer, loaded.vocabularySize() - 1));
                }
            }
            OutputStream out = System.out;
            out.write(loaded.decode(ids));
            out.flush();
            return 0;
        }
    }

    @Command(
            name = "info",
            description = "What a tokenizer is.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome tokenizer info tokenizer.json --json"})
    static final class Info implements Callable<Integer> {
        @Parameters(paramLabel = "PATH", description = "Tokenizer file or model folder.")
        private Path path;

        @Option(names = "--json", description = "Print one JSON object.")
        private boolean json;

        @Override
        public Integer call() throws IOException {
            Tokenizer tokenizer = Tokenizers.load(path);
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("kind", tokenizer.kind());
            facts.put("vocabulary", tokenizer.vocabularySize());
            facts.put("special_tokens", tokenizer.specialTokens());
            facts.put("longest_token", longest(tokenizer));
            PrintStream out = StandardText.output();
            if (json) {
                out.println(Json.write(facts));
            } else {
                facts.forEach((name, value) -> out.printf("%-16s %s%n", name, value));
            }
            out.flush();
            return 0;
        }

        private static String longest(Tokenizer tokenizer) {
            byte[] longest = {};
            for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                byte[] token = tokenizer.token(id);
                longest = token.length > longest.length ? token : longest;
            }
            return Visible.of(longest);
        }
    }
}
