package ai.epitome.cli.train;

import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.option.TimeConverter;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.pretrain.Recipe;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The dial of a run, and all that can be set besides it.
public final class RunOptions {
    private static final int DEPTH = 4;
    private static final Duration TIME = Duration.ofMinutes(3);

    @Option(
            names = "--depth",
            paramLabel = "LAYERS",
            description = "The one dial: layers; the width is 64 times as many channels, and heads, batch and learning"
                    + " rates follow (default: " + DEPTH + ").",
            converter = Numbers.Count.class)
    private Integer depth;

    @Option(
            names = "--width",
            paramLabel = "N",
            description = "Channels of the residual stream.",
            converter = Numbers.Count.class)
    private Integer width;

    @Option(
            names = "--heads",
            paramLabel = "N",
            description = "Attention heads; heads have width / heads channels.",
            converter = Numbers.Count.class)
    private Integer heads;

    @Option(
            names = "--kv-heads",
            paramLabel = "N",
            description = "Key and value heads, for grouped-query attention.",
            converter = Numbers.Count.class)
    private Integer keyValueHeads;

    @Option(
            names = "--hidden",
            paramLabel = "N",
            description = "Channels inside the MLP.",
            converter = Numbers.Count.class)
    private Integer hidden;

    @Option(
            names = "--context",
            paramLabel = "TOKENS",
            description = "Positions that the model sees (default: " + Recipe.CONTEXT + ").",
            converter = Numbers.Count.class)
    private Integer context;

    @Option(names = "--untied-head", description = "A head of its own instead of the embedding table.")
    private boolean untiedHead;

    @Option(
            names = "--time",
            paramLabel = "TIME",
            description =
                    "Time to train: 3m, 90s, 1h30m; evaluation is not counted (default: 3m, or until the text has been"
                            + " read " + Recipe.PASSES + " times).",
            converter = TimeConverter.class)
    private Duration time;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Number of steps instead of a time; with --time what comes first.",
            converter = Numbers.LongCount.class)
    private Long steps;

    @Mixin
    private TrainingOptions training = new TrainingOptions();

    /// The recipe of a new run.
    ///
    /// @param tokens to train on
    Recipe recipe(int vocabulary, long tokens) {
        Duration length = or(time, TIME);
        Recipe usual =
                Recipe.ofDepth(or(depth, DEPTH), vocabulary, or(context, Recipe.CONTEXT), length.toMillis() / 1000.0);
        Recipe recipe = new Recipe(shape(usual), training.changed(usual.training()));
        if (steps == null) {
            return time == null ? recipe.atMostPasses(tokens) : recipe;
        }
        return new Recipe(recipe.model(), lasting(recipe.training()));
    }

    /// A configuration of the length that is given.
    private TrainingConfig lasting(TrainingConfig config) {
        return config.with(c -> {
            c.steps = steps == null ? 0 : steps;
            c.seconds = time == null ? 0 : time.toMillis() / 1000.0;
        });
    }

    /// A run that has begun, with what is given here changed.
    ///
    /// @param kept the recipe that it began with
    /// @param folder of the model, for the error
    /// @throws IllegalArgumentException if another shape is asked for: the weights have theirs
    Recipe changed(Recipe kept, Path folder) {
        TransformerConfig model = kept.model();
        // Each for itself: what is not given is the run's own, and not what a new run of this depth would have.
        boolean same = agrees(depth, model.layers())
                && agrees(width, model.width())
                && agrees(heads, model.heads())
                && agrees(keyValueHeads, model.keyValueHeads())
                && agrees(hidden, model.hidden())
                && agrees(context, model.context())
                && !(untiedHead && model.tiedHead());
        if (!same) {
            throw new IllegalArgumentException(
                    "the model in %s has %d layers, width %d, %d heads (%d for keys and values), %d hidden channels, a context of %d and %s head, these options ask for another shape; leave them out, or give another folder"
                            .formatted(
                                    folder,
                                    model.layers(),
                                    model.width(),
                                    model.heads(),
                                    model.keyValueHeads(),
                                    model.hidden(),
                                    model.context(),
                                    model.tiedHead() ? "a tied" : "an untied"));
        }
        TrainingConfig begun = kept.training();
        if (steps != null || time != null) {
            begun = lasting(begun);
        }
        return new Recipe(model, training.changed(begun));
    }

    private static boolean agrees(Integer given, int kept) {
        return given == null || given == kept;
    }

    private TransformerConfig shape(Recipe recipe) {
        return recipe.model().with(c -> {
            c.width = or(width, c.width);
            if (width != null || heads != null) {
                c.heads = or(heads, Math.max(1, c.width / c.headDimension));
                c.headDimension = c.width / c.heads;
                c.keyValueHeads = c.heads;
                c.hidden = (c.width * 8 / 3 + 63) / 64 * 64;
            }
            c.keyValueHeads = or(keyValueHeads, c.keyValueHeads);
            c.hidden = or(hidden, c.hidden);
            c.tiedHead = c.tiedHead && !untiedHead;
        });
    }

    private static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }
}
