package ai.epitome.text;

import java.util.Arrays;

/// A growing list of ints without boxes.
public final class IntList {
    private int[] items;
    private int size;

    public IntList() {
        this(16);
    }

    IntList(int capacity) {
        items = new int[capacity];
    }

    public void add(int item) {
        if (size == items.length) {
            grow(size + 1);
        }
        items[size++] = item;
    }

    void addAll(int[] source, int from, int count) {
        if (items.length - size < count) {
            grow(Math.addExact(size, count));
        }
        System.arraycopy(source, from, items, size, count);
        size += count;
    }

    /// Adds the lower and upper halves of `first` and `second`, of these four the first `count`.
    void addUpToFour(long first, long second, int count) {
        if (items.length - size < 4) {
            grow(Math.addExact(size, 4));
        }
        items[size] = (int) first;
        items[size + 1] = (int) (first >>> Integer.SIZE);
        items[size + 2] = (int) second;
        items[size + 3] = (int) (second >>> Integer.SIZE);
        size += count;
    }

    private void grow(int needed) {
        long wanted = Math.max(needed, items.length + (long) (items.length >> 1) + 8);
        items = Arrays.copyOf(items, (int) Math.min(wanted, Integer.MAX_VALUE - 8));
    }

    int get(int index) {
        return items[index];
    }

    int size() {
        return size;
    }

    void truncate(int newSize) {
        size = newSize;
    }

    /// Empties it and lets go of its memory.
    void clear() {
        items = new int[0];
        size = 0;
    }

    /// A copy of the items.
    public int[] toArray() {
        return Arrays.copyOf(items, size);
    }
}
