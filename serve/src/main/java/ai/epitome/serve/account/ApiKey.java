package ai.epitome.serve.account;

import ai.epitome.serve.moderation.ModerationPolicy;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/// What is known of a key. The key itself is known to nobody but its holder.
///
/// @param id names the key in commands and usage rows
/// @param hint its first and last characters, by which its holder recognises it
/// @param moderation what is done about its texts; empty for what is done where nothing is said
public record ApiKey(
        String id,
        String name,
        String hint,
        Set<Scope> scopes,
        KeyLimits limits,
        Optional<ModerationPolicy> moderation,
        Instant created,
        Optional<Instant> expires,
        Optional<Instant> revoked) {

    public ApiKey {
        scopes = Set.copyOf(scopes);
    }

    /// Whether a key may be used.
    public enum State {
        ACTIVE,
        EXPIRED,
        REVOKED
    }

    /// What it is at a time: once revoked, it stays so.
    public State state(Instant now) {
        if (revoked.isPresent()) {
            return State.REVOKED;
        }
        return expires.isPresent() && !now.isBefore(expires.get()) ? State.EXPIRED : State.ACTIVE;
    }

    /// Whether it may do this, whatever its state; [Scope#ADMIN] may do all.
    public boolean allows(Scope scope) {
        return scopes.contains(scope) || scopes.contains(Scope.ADMIN);
    }
}
