package ai.epitome.serve;

import java.util.Optional;

/// Serves the page with a made-up training run and a model that knows one verse, to work on the page without training:
///
/// `mvn -q -pl serve -am test-compile` and then, with the test class path of `serve`,
/// `java ai.epitome.serve.PageDemo [port] [milliseconds per step]`.
final class PageDemo {
    private PageDemo() {}

    public static void main(String[] arguments) throws InterruptedException {
        int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : ServerConfig.DEFAULT_PORT;
        long pause = arguments.length > 1 ? Long.parseLong(arguments[1]) : 200;
        var progress = new TrainingProgress();
        var models = new ModelRegistry();
        EpitomeServer server = EpitomeServer.start(ServerConfig.local(port), models, Optional.of(progress));
        Runtime.getRuntime().addShutdownHook(new Thread(server::close));
        FakeTraining.begin(progress);
        for (int step = 1; step <= FakeTraining.STEPS; step++) {
            FakeTraining.step(progress, step);
            if (step == FakeTraining.STEPS / 2) {
                models.put(new FakeModel("epitome-shakespeare", 25));
            }
            Thread.sleep(pause);
        }
        progress.publish(new ProgressEvent.StatusChanged(ProgressEvent.Phase.READY, ""));
        server.awaitClose();
    }
}
