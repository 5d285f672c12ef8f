package ai.epitome.text;

/// Two tokens that stand side by side somewhere: how often, and where.
final class TokenPair {
    final int left;
    final int right;
    /// Over all places, each as often as its word occurs.
    long count;
    /// Where it has stood, ascending; it may be gone from some of them.
    final IntList places = new IntList(2);

    TokenPair(int left, int right) {
        this.left = left;
        this.right = right;
    }
}
