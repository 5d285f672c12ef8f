package ai.epitome.serve.store;

/// Work that goes on after its request: a batch, a fine-tuning job. While it is not over it belongs to the process that
/// holds its lease.
///
/// @param createdAt seconds since 1970
/// @param body its object, as JSON
/// @param leaseUntil when the lease ends, in milliseconds since 1970; 0 where nobody holds it
public record LeasedWork(String id, String owner, long createdAt, String status, String body, long leaseUntil) {}
