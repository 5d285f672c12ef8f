package ai.epitome.train.pretrain;

import ai.epitome.model.Role;
import ai.epitome.model.Transformer;
import ai.epitome.model.WeightNames;
import ai.epitome.tensor.Backend;
import ai.epitome.tensor.Parameter;
import ai.epitome.train.TrainingConfig.Kind;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.CombinedOptimizer;
import ai.epitome.train.optimizer.Muon;
import ai.epitome.train.optimizer.Optimizer;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Which parameter of a transformer is trained how: by its role.
final class OptimizerChoice {
    private OptimizerChoice() {}

    static Optimizer of(OptimizerConfig config, Transformer model, Arena arena, Backend backend) {
        boolean muon = config.kind() == Kind.MUON;
        AdamW.Settings settings = new AdamW.Settings(config.beta1(), config.beta2(), config.epsilon());
        List<AdamW.Group> groups = new ArrayList<>();
        add(groups, model, role -> role == Role.EMBEDDING, config.embeddingRate(), config.embeddingDecay());
        add(groups, model, role -> role == Role.HEAD, config.headRate(), config.embeddingDecay());
        add(groups, model, Role::isVector, config.vectorRate(), 0);
        if (!muon) {
            add(groups, model, Role::isMatrix, config.matrixRate(), config.matrixDecay());
        }
        AdamW adamW = new AdamW(groups, settings, arena, backend.workers());
        if (!muon) {
            return adamW;
        }
        Muon.Settings muonSettings =
                new Muon.Settings(config.matrixRate(), config.matrixDecay(), config.momentum(), true, config.scale());
        return new CombinedOptimizer(List.of(new Muon(matrices(model), muonSettings, arena, backend), adamW));
    }

    private static void add(
            List<AdamW.Group> groups, Transformer model, Predicate<Role> which, double rate, double decay) {
        List<Parameter> parameters = model.parameters().stream()
                .filter(parameter -> which.test(model.role(parameter)))
                .toList();
        if (!parameters.isEmpty()) {
            groups.add(new AdamW.Group(parameters, rate, decay));
        }
    }

    /// The matrices of the blocks, with the parts of the fused ones apart.
    private static List<Muon.Matrices> matrices(Transformer model) {
        List<WeightNames.Slice> slices = WeightNames.slices(model);
        return model.parameters().stream()
                .filter(parameter -> model.role(parameter).isMatrix())
                .map(parameter -> new Muon.Matrices(
                        parameter,
                        slices.stream()
                                .filter(slice -> slice.parameter() == parameter)
                                .map(slice -> slice.to() - slice.from())
                                .toList()))
                .toList();
    }
}
