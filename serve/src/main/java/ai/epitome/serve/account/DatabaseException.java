package ai.epitome.serve.account;

import java.sql.SQLException;

/// The database cannot be opened, reached, or refuses a statement; the message says which and why.
public final class DatabaseException extends RuntimeException {
    DatabaseException(String message, SQLException cause) {
        super(message + ": " + cause.getMessage(), cause);
    }

    DatabaseException(String message) {
        super(message);
    }
}
