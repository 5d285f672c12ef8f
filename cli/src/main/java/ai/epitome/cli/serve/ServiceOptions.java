package ai.epitome.cli.serve;

import ai.epitome.cli.account.AccountOptions;
import ai.epitome.cli.account.PolicyConverter;
import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.TimeConverter;
import ai.epitome.serve.ServerConfig;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.moderation.ModerationPolicy;
import ai.epitome.serve.tuning.TuningSetup;
import ai.epitome.tensor.backend.Backend;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Where the service listens.
public final class ServiceOptions {
    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "TCP port; 0 takes any free one (default: ${DEFAULT-VALUE}).")
    private int port = ServerConfig.DEFAULT_PORT;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            description = {
                "Address to listen on (default: ${DEFAULT-VALUE}, reachable from this machine only).",
                "Any other asks for an API key, and makes the first one."
            })
    private String host = ServerConfig.LOOPBACK;

    @Option(
            names = "--require-key",
            description = "Ask for an API key on this machine too: behind a proxy, everybody comes from this machine.")
    private boolean requireKey;

    @Option(
            names = "--moderation",
            paramLabel = "POLICY",
            converter = PolicyConverter.class,
            description = "What is done about texts that moderation flags, where a key has no policy of its own:"
                    + " off, log, flag or refuse, or a JSON file (default: log).")
    private ModerationPolicy moderation = ModerationPolicy.LOG;

    @Option(
            names = "--grace",
            paramLabel = "TIME",
            converter = TimeConverter.class,
            description = "How long requests under way may take to end when the service stops (default: 5s).")
    private Duration grace = Duration.ofSeconds(5);

    @Option(
            names = "--tuned",
            paramLabel = "FOLDER",
            description = "Where fine-tuning jobs keep their files, and the models that they make"
                    + " (default: ~/.local/share/epitome/fine-tuned).")
    private Path tuned;

    @Mixin
    private AccountOptions accounts;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /// What the options say of the service; all else as [ServerConfig#local] has it.
    public ServerConfig config() {
        return ServerConfig.local(port).with(config -> {
            config.host = host;
            config.drain = grace;
            config.requireKey = requireKey;
            config.moderation = moderation;
        });
    }

    /// How models are fine-tuned.
    public TuningSetup tuning(KernelOptions kernels, Backend backend) {
        Path folder = tuned == null ? AccountOptions.folder().resolve("fine-tuned") : tuned;
        return new TuningSetup(
                folder, new TuningLauncher(command.root().userObject().getClass(), kernels.arguments()), backend);
    }

    /// The accounts. Where a key is needed and there is none, it makes one and tells it.
    public Accounts accounts() {
        Accounts opened = accounts.open();
        Instant now = Instant.now();
        if (config().needsKey() && !opened.keys().anyActive(now)) {
            KeyStore.Created made = opened.keys()
                    .create(
                            "first-" + now.getEpochSecond(),
                            Set.of(Scope.ADMIN),
                            KeyLimits.NONE,
                            now,
                            Optional.empty());
            System.err.println("API key, shown this once: " + made.secret());
        }
        return opened;
    }
}
