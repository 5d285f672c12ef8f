package ai.epitome.model.generation;

import ai.epitome.text.Utf8Stream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/// Turns sampled tokens into [GenerationPiece]s: holds back what ends inside a character or may be the beginning of a
/// stop string, and finds stop strings wherever token borders fall. All in bytes; characters are made at the end.
final class PieceBuffer {
    /// A token that has not been given out, and where its bytes end, counted from the text's beginning.
    private record Waiting(ScoredToken token, long begin, long end) {}

    private final List<byte[]> stops;
    private final Utf8Stream characters = new Utf8Stream();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private byte[] held = {};
    /// Bytes given out, and bytes received.
    private long given;
    private long received;
    private boolean stopped;

    PieceBuffer(List<String> stops) {
        this.stops = stops.stream()
                .map(stop -> stop.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    /// Whether a stop string has come up: its piece was the last.
    boolean stopped() {
        return stopped;
    }

    /// Takes the next token; returns what has become certain, perhaps nothing (no text and no tokens).
    GenerationPiece push(ScoredToken token) {
        byte[] bytes = token.bytes();
        waiting.add(new Waiting(token, received, received + bytes.length));
        received += bytes.length;
        int old = held.length;
        held = Arrays.copyOf(held, old + bytes.length);
        System.arraycopy(bytes, 0, held, old, bytes.length);
        int stop = firstStop();
        if (stop >= 0) {
            stopped = true;
            return finish(stop);
        }
        return give(held.length - heldBack());
    }

    /// Ends the text: gives out everything that is held.
    GenerationPiece finish() {
        return finish(held.length);
    }

    private GenerationPiece finish(int count) {
        GenerationPiece piece = give(count);
        List<ScoredToken> tokens = new ArrayList<>(piece.tokens());
        for (Waiting token : waiting) {
            if (token.begin < given) { // cut by the stop string; tokens wholly behind the cut are dropped
                tokens.add(token.token);
            }
        }
        waiting.clear();
        held = new byte[0];
        return new GenerationPiece(piece.text() + characters.finish(), tokens);
    }

    private GenerationPiece give(int count) {
        String text = characters.push(Arrays.copyOf(held, count));
        held = Arrays.copyOfRange(held, count, held.length);
        given += count;
        List<ScoredToken> tokens = new ArrayList<>();
        while (!waiting.isEmpty() && waiting.peek().end <= given) {
            tokens.add(waiting.poll().token);
        }
        return new GenerationPiece(text, tokens);
    }

    /// Where the stop string begins that is the first to be complete, of several that end together the longest, or -1:
    /// so the answer does not depend on how many bytes came at once. Anything that may begin one is still held, so
    /// none is missed.
    private int firstStop() {
        for (int end = 1; end <= held.length; end++) {
            int first = -1;
            for (byte[] stop : stops) {
                int at = end - stop.length;
                if (at >= 0 && (first < 0 || at < first) && matches(stop, at) == stop.length) {
                    first = at;
                }
            }
            if (first >= 0) {
                return first;
            }
        }
        return -1;
    }

    /// Bytes at the end that may yet become part of a stop string or complete a character.
    private int heldBack() {
        for (int at = 0; at < held.length; at++) {
            for (byte[] stop : stops) {
                if (matches(stop, at) == held.length - at) {
                    return held.length - at;
                }
            }
        }
        return unfinishedCharacter();
    }

    /// How many bytes of `stop` agree with what is held from `at` on.
    private int matches(byte[] stop, int at) {
        int length = Math.min(stop.length, held.length - at);
        for (int i = 0; i < length; i++) {
            if (held[at + i] != stop[i]) {
                return -1;
            }
        }
        return length;
    }

    private int unfinishedCharacter() {
        for (int back = 1; back <= Math.min(3, held.length); back++) {
            int lead = held[held.length - back] & 0xFF;
            if (lead < 0x80) {
                return 0;
            }
            if (lead >= 0xC2 && lead <= 0xF4) {
                int needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
                return needed > back ? back : 0;
            }
            if (lead >= 0xC0) {
                return 0; // begins no character
            }
        }
        return 0;
    }
}
