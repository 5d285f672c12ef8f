package ai.epitome.serve.account;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// A bounded number of connections, opened when needed and kept.
///
/// A library would bring a thread, a logging system and some fifty settings for what are two structures here: permits,
/// and the connections that nobody uses.
final class ConnectionPool implements AutoCloseable {
    /// A connection that lay idle for longer may have been closed by the server or a firewall, so it is tried first.
    private static final long TRUSTED_NANOS = Duration.ofSeconds(15).toNanos();
    private static final int TRIAL_SECONDS = 2;
    private static final int WAIT_SECONDS = 10;

    private final Opener opener;
    private final Semaphore permits;
    private final ConcurrentLinkedDeque<Idle> idle = new ConcurrentLinkedDeque<>();
    private volatile boolean closed;

    ConnectionPool(int most, Opener opener) {
        this.opener = opener;
        this.permits = new Semaphore(most, true);
    }

    interface Opener {
        Connection open() throws SQLException;
    }

    private record Idle(Connection connection, long since) {}

    /// Lends a connection to `work`. One that failed is not kept, and neither are the idle ones when the server is
    /// gone.
    <T> T lend(SqlWork<T> work) throws SQLException {
        if (!acquire()) {
            throw new SQLTransientConnectionException("no connection became free within " + WAIT_SECONDS + " s");
        }
        try {
            Connection connection = take();
            try {
                T result = work.with(connection);
                giveBack(connection);
                return result;
            } catch (SQLException e) {
                if (isLost(e)) {
                    connection.close();
                    closeIdle();
                } else {
                    giveBack(connection);
                }
                throw e;
            } catch (RuntimeException e) { // not the connection's fault; its transaction has been rolled back
                giveBack(connection);
                throw e;
            } catch (Error e) {
                connection.close();
                throw e;
            }
        } finally {
            permits.release();
        }
    }

    /// Usage is written while threads are being stopped, so waiting here is not interrupted.
    private boolean acquire() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return permits.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Connection take() throws SQLException {
        for (Idle next = idle.pollFirst(); next != null; next = idle.pollFirst()) {
            if (System.nanoTime() - next.since() < TRUSTED_NANOS
                    || next.connection().isValid(TRIAL_SECONDS)) {
                return next.connection();
            }
            next.connection().close();
        }
        return opener.open();
    }

    private void giveBack(Connection connection) throws SQLException {
        if (closed) {
            connection.close();
        } else {
            idle.addFirst(new Idle(connection, System.nanoTime()));
        }
    }

    /// SQL states of class 08 are connections that broke; 57P of PostgreSQL, a server that is being stopped.
    private static boolean isLost(SQLException e) {
        String state = e.getSQLState();
        return state != null && (state.startsWith("08") || state.startsWith("57P"));
    }

    private void closeIdle() throws SQLException {
        for (Idle next = idle.pollFirst(); next != null; next = idle.pollFirst()) {
            next.connection().close();
        }
    }

    @Override
    public void close() throws SQLException {
        closed = true;
        closeIdle();
    }
}
