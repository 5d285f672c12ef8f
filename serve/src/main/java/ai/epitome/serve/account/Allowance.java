package ai.epitome.serve.account;

import java.time.Duration;

/// How much of a rate its owner may still use.
///
/// @param reset until it may use all of it again
public record Allowance(long limit, long remaining, Duration reset) {}
