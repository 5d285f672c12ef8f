package ai.epitome.train.chat;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.Example;
import java.util.List;

/// How a conversation becomes tokens.
public interface ChatEncoding {
    /// All turns up to the last that is learned. Learned are the assistant's words and the token that ends its turn:
    /// what it will have to say by itself.
    Example render(TrainingConversation conversation);

    /// The turns and the beginning of an answer: what a model goes on from.
    int[] prompt(List<Turn> turns);

    /// The tokenizer, with every control token of the format.
    Tokenizer tokenizer();

    /// The token that ends a turn.
    int endOfTurn();

    /// The same as a Jinja template, as [ai.epitome.text.chat.ChatTemplates#FILE] holds it.
    String template();
}
