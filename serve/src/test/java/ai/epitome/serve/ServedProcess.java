package ai.epitome.serve;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Scope;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;

/// A service with the fake model as a process of its own, so that it can be killed. It prints its port, then keys, each
/// when it has been made.
final class ServedProcess {
    /// A model that takes 20 ms a token, and conversations.
    static final String SLOW = "slow";

    private ServedProcess() {}

    /// @param line the first that the process prints
    static String uri(String line) {
        return "http://127.0.0.1:" + line + "/";
    }

    /// @param arguments URL of the database
    public static void main(String[] arguments) {
        Accounts accounts = new Accounts(Database.open(arguments[0]));
        TestServer server = TestServer.start(ServerConfig.local(0), accounts);
        server.models.put(new FakeModel(SLOW, 20), TestServer.CREATED, Optional.of(UntrainedModel.format()));
        System.out.println(server.port());
        while (true) {
            System.out.println(accounts.keys()
                    .create(
                            "made-" + System.nanoTime(),
                            EnumSet.of(Scope.INFERENCE),
                            KeyLimits.NONE,
                            Instant.now(),
                            Optional.empty())
                    .secret());
        }
    }
}
