package ai.epitome.serve.account;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/// A PostgreSQL server of Debian's package, started for the tests of this process on a free port, and removed after.
public final class PostgresServer {
    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String ACCOUNT = "postgres";
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static Optional<PostgresServer> shared;

    private final Path folder;
    private final int port;
    private final Process process;

    private PostgresServer(Path binaries) throws IOException, InterruptedException, SQLException {
        folder = Files.createTempDirectory(Path.of("/tmp"), "epitome-postgres");
        Path data = folder.resolve("data");
        List<String> prefix = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) { // as which PostgreSQL refuses to run
            run(List.of("chown", ACCOUNT, folder.toString()));
            prefix.addAll(List.of("setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"));
        }
        List<String> create = new ArrayList<>(prefix);
        create.addAll(List.of(
                binaries.resolve("initdb").toString(),
                "-D",
                data.toString(),
                "-U",
                "epitome",
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C"));
        run(create);
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        List<String> start = new ArrayList<>(prefix);
        start.addAll(List.of(
                binaries.resolve("postgres").toString(),
                "-D",
                data.toString(),
                "-k",
                folder.toString(),
                "-p",
                String.valueOf(port),
                "-c",
                "listen_addresses=127.0.0.1"));
        process = new ProcessBuilder(start)
                .redirectErrorStream(true)
                .redirectOutput(Path.of("/dev/null").toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::remove));
        awaitStart();
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IOException(command + " failed: " + output);
        }
    }

    private void awaitStart() throws InterruptedException, SQLException {
        for (int attempt = 0; ; attempt++) {
            try (Connection connection = DriverManager.getConnection(url("postgres"))) {
                connection.isValid(1);
                return;
            } catch (SQLException e) {
                if (attempt == 300 || !process.isAlive()) {
                    throw e;
                }
                Thread.sleep(50);
            }
        }
    }

    /// The server; empty where PostgreSQL is not installed.
    public static synchronized Optional<PostgresServer> shared() {
        if (shared == null) {
            shared = binaries().map(found -> {
                try {
                    return new PostgresServer(found);
                } catch (IOException | SQLException | InterruptedException e) {
                    throw new IllegalStateException("PostgreSQL did not start", e);
                }
            });
            if (shared.isEmpty()) {
                System.err.println("PostgreSQL is not in " + VERSIONS
                        + ": nothing is tested with it (apt-get install postgresql)");
            }
        }
        return shared;
    }

    private static Optional<Path> binaries() {
        if (!Files.isDirectory(VERSIONS)) {
            return Optional.empty();
        }
        try (Stream<Path> versions = Files.list(VERSIONS)) {
            return versions.map(version -> version.resolve("bin"))
                    .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
                    .max(Comparator.naturalOrder());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// The URL of a new, empty database.
    public String newDatabase() {
        String name = "test" + DATABASES.incrementAndGet();
        try (Connection connection = DriverManager.getConnection(url("postgres"));
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + name);
            return url(name);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private String url(String database) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=epitome";
    }

    private void remove() {
        try {
            process.destroy(); // SIGTERM: waits for nobody once the tests are over
            if (!process.waitFor(5, java.util.concurrent.TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            run(List.of("rm", "-rf", folder.toString()));
        } catch (IOException | InterruptedException e) {
            System.err.println("PostgreSQL's folder " + folder + " was not removed: " + e);
        }
    }
}
