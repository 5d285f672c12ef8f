package ai.epitome.train;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingConfig.Kind;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.CombinedOptimizer;
import ai.epitome.train.optimizer.Muon;
import ai.epitome.train.optimizer.Optimizer;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Gives each parameter of a model the optimizer and the rates that its role asks for.
public final class ModelOptimizer {
    /// Parameters that share their rates.
    private enum Share {
        MATRICES,
        EMBEDDINGS,
        HEAD,
        VECTORS
    }

    private ModelOptimizer() {}

    /// The optimizer of `model`, whose state lives in `arena`.
    ///
    /// @throws IllegalArgumentException if weights are quantised: what is not would be trained alone
    public static Optimizer create(Transformer model, OptimizerConfig config, Arena arena, Backend backend) {
        Map<Share, List<Parameter>> shares = new EnumMap<>(Share.class);
        for (Share share : Share.values()) {
            shares.put(share, new ArrayList<>());
        }
        for (Parameter parameter : model.parameters()) {
            if (parameter.blocks() != null) {
                throw new IllegalArgumentException(
                        "%s is quantised, and quantised weights cannot be trained: train an adapter (--lora), or write the model out with `epitome export` and train that"
                                .formatted(parameter.name()));
            }
            if (parameter.trainable()) {
                shares.get(share(model, parameter)).add(parameter);
            }
        }
        List<Parameter> matrices = shares.get(Share.MATRICES);
        List<AdamW.Group> groups = new ArrayList<>();
        if (config.kind() == Kind.ADAMW) {
            groups.add(new AdamW.Group(matrices, config.matrixRate(), config.matrixDecay()));
        }
        groups.add(new AdamW.Group(shares.get(Share.EMBEDDINGS), config.embeddingRate(), config.embeddingDecay()));
        groups.add(new AdamW.Group(shares.get(Share.HEAD), config.headRate(), config.embeddingDecay()));
        groups.add(new AdamW.Group(shares.get(Share.VECTORS), config.vectorRate(), 0));
        AdamW adamW = new AdamW(
                groups, new AdamW.Settings(config.beta1(), config.beta2(), config.epsilon()), arena, backend.workers());
        if (config.kind() == Kind.ADAMW) {
            return adamW;
        }
        Muon muon = new Muon(
                matrices.stream().map(matrix -> parts(model, matrix)).toList(),
                new Muon.Settings(config.matrixRate(), config.matrixDecay(), config.momentum(), true, config.scale()),
                arena,
                backend);
        return new CombinedOptimizer(List.of(muon, adamW));
    }

    private static Share share(Transformer model, Parameter parameter) {
        return switch (model.role(parameter)) {
            case MATRIX, OUTPUT_MATRIX -> Share.MATRICES;
            case EMBEDDING -> Share.EMBEDDINGS;
            case HEAD -> Share.HEAD;
            case GAIN, BIAS -> Share.VECTORS;
        };
    }

    /// The matrices that files keep apart, query, key and value for one, are one parameter here.
    private static Muon.Matrices parts(Transformer model, Parameter parameter) {
        List<Integer> rows = WeightNames.slices(model).stream()
                .filter(slice -> slice.parameter() == parameter)
                .sorted(Comparator.comparingInt(WeightNames.Slice::from))
                .map(slice -> slice.to() - slice.from())
                .toList();
        return new Muon.Matrices(parameter, rows);
    }
}
