package ai.epitome.serve.store;

import java.util.Optional;

/// A response as it is kept.
///
/// @param owner id of the key that made it, or empty
/// @param createdAt seconds since 1970
/// @param previous the response that it goes on from
/// @param input its input items, as JSON
/// @param body its object, as JSON
/// @param leaseUntil milliseconds since 1970 until which a process answers for it while it is in progress
public record StoredResponse(
        String id,
        String owner,
        long createdAt,
        String status,
        Optional<String> previous,
        String input,
        String body,
        long leaseUntil) {

    public boolean inProgress() {
        return status.equals("queued") || status.equals("in_progress");
    }
}
