package ai.epitome.serve;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;

/// A service with the fake model as a process of its own, so that it can be killed.
final class ServedProcess {
    private ServedProcess() {}

    /// @param arguments URL of the database
    public static void main(String[] arguments) throws InterruptedException {
        Accounts accounts = new Accounts(Database.open(arguments[0]));
        TestServer server = TestServer.start(ServerConfig.local(0), accounts);
        System.out.println(server.port());
        server.server.awaitClose();
    }
}
