package ai.epitome.train.align;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.TokenTable;
import ai.epitome.train.reward.RewardModel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// A reward model that judges texts of a model with the same tokenizer, or another: then it reads them as text.
public final class Judge {
    private final RewardModel reward;
    private final Tokenizer tokenizer;
    private final boolean same;

    /// @param tokenizer of the texts
    public Judge(RewardModel reward, Tokenizer tokenizer) {
        this.reward = reward;
        this.tokenizer = tokenizer;
        this.same = TokenTable.of(tokenizer)
                .sha256()
                .equals(TokenTable.of(reward.tokenizer()).sha256());
    }

    /// What each sample is worth, with its prompt; of longer ones the beginning.
    public double[] scores(List<Continuations.Sample> samples) {
        return reward.score(samples.stream().map(this::read).toList());
    }

    private int[] read(Continuations.Sample sample) {
        int[] tokens = sample.example().tokens();
        return same
                ? Arrays.copyOf(tokens, Math.min(tokens.length, reward.context()))
                : reward.tokens(new String(tokenizer.decode(tokens), StandardCharsets.UTF_8));
    }
}
