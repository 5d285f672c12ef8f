package ai.epitome.compress.gpt;

import java.util.ArrayList;
import java.util.List;

/// The parameters of a learner.
final class LearnerWeights {
    /// Those of one block.
    record Block(
            LearnedParameter attentionGain,
            LearnedParameter queryKeyValue,
            LearnedParameter output,
            LearnedParameter mlpGain,
            LearnedParameter up,
            LearnedParameter down) {
        private List<LearnedParameter> all() {
            return List.of(attentionGain, queryKeyValue, output, mlpGain, up, down);
        }
    }

    private static final long SEED = 1;

    final LearnedParameter embedding; // (256, C)
    final List<Block> blocks = new ArrayList<>();
    final LearnedParameter finalGain;
    final LearnedParameter head; // (256, C)

    /// Matrices uniform with the variance that keeps that of what passes through; those that write to the residual
    /// stream, and the head, zero: the first predictions are uniform.
    LearnerWeights(LearnerShape shape) {
        LearnerRandom random = new LearnerRandom(SEED);
        int width = shape.width();
        double bound = Math.sqrt(3.0 / width);
        embedding = LearnedParameter.table(256, width).draw(random, 0.5);
        for (int i = 0; i < shape.layers(); i++) {
            blocks.add(new Block(
                    LearnedParameter.gain(width),
                    LearnedParameter.matrix(3 * width, width).draw(random, bound),
                    LearnedParameter.matrix(width, width),
                    LearnedParameter.gain(width),
                    LearnedParameter.matrix(shape.hidden(), width).draw(random, bound),
                    LearnedParameter.matrix(width, shape.hidden())));
        }
        finalGain = LearnedParameter.gain(width);
        head = LearnedParameter.matrix(256, width);
        pack();
        publish();
    }

    List<LearnedParameter> all() {
        List<LearnedParameter> all = new ArrayList<>(List.of(embedding, finalGain, head));
        blocks.forEach(block -> all.addAll(block.all()));
        return all;
    }

    void pack() {
        all().forEach(LearnedParameter::pack);
    }

    /// Makes the values as they are now those to predict by.
    void publish() {
        all().forEach(LearnedParameter::publish);
    }

    /// The values to predict by, as [ExactTransformer] reads them.
    ExactWeights exact(LearnerShape shape) {
        float[][] rotations =
                ExactWeights.rotations(shape.config(), shape.config().context());
        return new ExactWeights(
                embedding.published(),
                null,
                blocks.stream().map(LearnerWeights::exact).toList(),
                new ExactWeights.Norm(finalGain.published(), null),
                linear(head),
                rotations[0],
                rotations[1]);
    }

    private static ExactWeights.Block exact(Block block) {
        return new ExactWeights.Block(
                new ExactWeights.Norm(block.attentionGain.published(), null),
                linear(block.queryKeyValue),
                null,
                null,
                linear(block.output),
                new ExactWeights.Norm(block.mlpGain.published(), null),
                null,
                linear(block.up),
                linear(block.down));
    }

    private static ExactWeights.Linear linear(LearnedParameter parameter) {
        return new ExactWeights.Linear(parameter.publishedMatrix(), null);
    }
}
