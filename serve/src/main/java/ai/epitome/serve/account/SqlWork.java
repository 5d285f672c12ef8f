package ai.epitome.serve.account;

import java.sql.Connection;
import java.sql.SQLException;

/// What a store does with a connection while it has one.
public interface SqlWork<T> {
    T with(Connection connection) throws SQLException;
}
