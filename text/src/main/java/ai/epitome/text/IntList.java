package ai.epitome.text;

import java.util.Arrays;

/// A growing list of ints without boxes.
final class IntList {
    private int[] items;
    private int size;

    IntList() {
        this(16);
    }

    IntList(int capacity) {
        items = new int[capacity];
    }

    void add(int item) {
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

    int[] toArray() {
        return Arrays.copyOf(items, size);
    }

    /// The backing array, valid until the next addition.
    int[] items() {
        return items;
    }
}
