package ai.epitome.serve;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Stands between clients and a service, passes all bytes on and takes them down: so what any client is told can be
/// looked at, whatever library it is.
final class Tap implements AutoCloseable {
    private final int port;
    private final ServerSocket listener;
    private final List<Line> lines = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /// @param port of the service
    Tap(int port) throws IOException {
        this.port = port;
        this.listener = new ServerSocket(0, 50, InetAddress.getByName(ServerConfig.LOOPBACK));
        threads.execute(this::listen);
    }

    /// Both directions of a connection.
    private record Line(Socket client, Socket service, ByteArrayOutputStream asked, ByteArrayOutputStream answered) {}

    int port() {
        return listener.getLocalPort();
    }

    private void listen() {
        try {
            while (true) {
                Socket client = listener.accept();
                Socket service = new Socket(ServerConfig.LOOPBACK, port);
                client.setTcpNoDelay(true);
                service.setTcpNoDelay(true);
                Line line = new Line(client, service, new ByteArrayOutputStream(), new ByteArrayOutputStream());
                synchronized (lines) {
                    lines.add(line);
                }
                threads.execute(() -> pass(client, service, line.asked));
                threads.execute(() -> pass(service, client, line.answered));
            }
        } catch (IOException e) {
            // Closed: no more clients.
        }
    }

    /// Until one of the two ends it, which ends both.
    private static void pass(Socket from, Socket to, ByteArrayOutputStream copy) {
        byte[] buffer = new byte[8192];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                copy.write(buffer, 0, read);
                out.write(buffer, 0, read);
            }
        } catch (IOException e) {
            // Whoever left, left.
        }
    }

    /// Takes no more clients, ends their connections, and tells what was said.
    List<Exchange> end() {
        close();
        List<Exchange> exchanges = new ArrayList<>();
        for (Line line : lines) {
            exchanges.addAll(Exchange.parse(line.asked.toByteArray(), line.answered.toByteArray()));
        }
        return exchanges;
    }

    @Override
    public void close() {
        try {
            listener.close();
            synchronized (lines) {
                for (Line line : lines) {
                    line.client.close();
                    line.service.close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        threads.close();
    }
}
