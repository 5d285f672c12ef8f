package ai.epitome.serve.metering;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The log as lines of JSON, for machines that gather logs.
public final class JsonLog extends Formatter {
    private JsonLog() {}

    /// The form of a line.
    public static JsonLog format() {
        return new JsonLog();
    }

    /// From now on everything that is logged in this process goes to `out`, requests included.
    public static void install(PrintStream out) {
        Handler handler = new StreamHandler(out, new JsonLog()) {
            @Override
            public synchronized void publish(LogRecord line) {
                super.publish(line);
                flush();
            }
        };
        handler.setLevel(Level.ALL);
        Logger root = Logger.getLogger("");
        for (Handler other : root.getHandlers()) {
            root.removeHandler(other);
        }
        root.addHandler(handler);
        RequestLog.LOG.setLevel(Level.FINE);
    }

    @Override
    public String format(LogRecord line) {
        ObjectNode node = JsonNodeFactory.instance
                .objectNode()
                .put("time", line.getInstant().toString())
                .put(
                        "level",
                        line.getLevel() == Level.FINE ? "INFO" : line.getLevel().getName())
                .put("logger", line.getLoggerName());
        if (line.getParameters() != null
                && line.getParameters().length == 1
                && line.getParameters()[0] instanceof ObjectNode fields) {
            node.put("message", line.getMessage()).setAll(fields);
        } else {
            node.put("message", formatMessage(line));
        }
        if (line.getThrown() != null) {
            StringWriter trace = new StringWriter();
            line.getThrown().printStackTrace(new PrintWriter(trace));
            node.put("exception", trace.toString());
        }
        return node + "\n";
    }
}
