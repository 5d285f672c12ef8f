package ai.epitome.cli.serve;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.KeyValueOptions;
import ai.epitome.model.LoadedModel;
import ai.epitome.serve.EpitomeServer;
import ai.epitome.serve.ServerConfig;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.metering.JsonLog;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.jinja.JinjaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `epitome serve`: models behind an OpenAI-compatible API and a page.
@Command(
        name = "serve",
        description = "Serve models: OpenAI-compatible completions, and a page to try them on.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example: epitome serve models/shakespeare",
            "         curl http://127.0.0.1:8080/v1/completions -H 'Content-Type: application/json' \\",
            "              -d '{\"model\":\"shakespeare\",\"prompt\":\"To be\",\"max_tokens\":40}'"
        })
public final class ServeCommand implements Callable<Integer> {
    @Parameters(
            arity = "1..*",
            paramLabel = "MODEL",
            description = "Models: folders, GGUF files, or those of llama2.c.")
    private List<Path> sources;

    @Mixin
    private ServiceOptions service;

    @Mixin
    private KernelOptions kernels;

    @Mixin
    private KeyValueOptions keysAndValues;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Backend backend = kernels.backend();
        System.err.println(backend.describe());
        ModelRegistry models = new ModelRegistry();
        Set<String> names = new HashSet<>();
        for (Path source : sources) {
            LoadedModel model = LoadedModel.open(source); // served until the process ends
            if (!names.add(model.id())) {
                throw new IllegalArgumentException(
                        "two of the models are called %s, which is the name that a request asks for; rename one"
                                .formatted(model.id()));
            }
            models.put(
                    model,
                    model.generator(backend, keysAndValues.limits()),
                    Files.getLastModifiedTime(Files.isDirectory(source) ? source.resolve("config.json") : source)
                            .toInstant(),
                    chat(model));
        }
        ServerConfig config = service.config();
        try (Accounts accounts = service.accounts();
                EpitomeServer server = EpitomeServer.start(
                        config, models, Optional.empty(), accounts, Optional.of(service.tuning(kernels, backend)))) {
            JsonLog.install(System.out);
            System.err.printf("serving %s at %s (Ctrl-C ends)%n", sources, server.uri());
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(server::close));
            server.awaitClose();
        }
        return 0;
    }

    /// How a model wants conversations written; nothing where its template cannot be read, which is said.
    public static Optional<ChatFormat> chat(LoadedModel model) {
        try {
            return Optional.of(model.chat());
        } catch (IOException | JinjaException e) {
            System.err.println("note: " + model.id() + " takes no conversations: " + e.getMessage());
            return Optional.empty();
        }
    }
}
