package ai.epitome.cli;

/// Entry point of the `epitome` command.
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.out.println("hello");
    }
}
