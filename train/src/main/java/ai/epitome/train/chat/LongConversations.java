package ai.epitome.train.chat;

import ai.epitome.train.data.Example;
import java.util.ArrayList;
import java.util.List;

/// What becomes of a conversation that is longer than a row.
public enum LongConversations {
    /// It is left out.
    DROP {
        @Override
        List<Example> shorten(TrainingConversation conversation, ChatEncoding format, int most) {
            return List.of();
        }
    },
    /// Its beginning is kept.
    CUT {
        @Override
        List<Example> shorten(TrainingConversation conversation, ChatEncoding format, int most) {
            return cut(format.render(conversation), most);
        }
    },
    /// It becomes several between its turns, each with what the system says before it; a turn that is too long by
    /// itself is cut.
    SPLIT {
        @Override
        List<Example> shorten(TrainingConversation conversation, ChatEncoding format, int most) {
            List<Example> parts = new ArrayList<>();
            for (TrainingConversation part : split(conversation, format, most)) {
                parts.addAll(cut(format.render(part), most));
            }
            return parts;
        }
    };

    /// The examples that a conversation makes; none where nothing learnable is left.
    ///
    /// @param most tokens of an example
    public List<Example> examples(TrainingConversation conversation, ChatEncoding format, int most) {
        Example whole = format.render(conversation);
        return whole.tokens().length <= most ? List.of(whole) : shorten(conversation, format, most);
    }

    abstract List<Example> shorten(TrainingConversation conversation, ChatEncoding format, int most);

    private static List<Example> cut(Example example, int most) {
        Example beginning = example.beginning(most);
        return beginning.learnedTokens() == 0 ? List.of() : List.of(beginning);
    }

    /// As many exchanges in each part as fit; one at least.
    private static List<TrainingConversation> split(TrainingConversation conversation, ChatEncoding format, int most) {
        List<Turn> system =
                conversation.hasSystem() ? List.of(conversation.turns().getFirst()) : List.of();
        List<TrainingConversation> parts = new ArrayList<>();
        List<Turn> part = new ArrayList<>(system);
        for (List<Turn> exchange : exchanges(conversation)) {
            List<Turn> longer = new ArrayList<>(part);
            longer.addAll(exchange);
            boolean fits = format.render(new TrainingConversation(longer)).tokens().length <= most;
            if (!fits && part.size() > system.size()) {
                parts.add(new TrainingConversation(part));
                longer = new ArrayList<>(system);
                longer.addAll(exchange);
            }
            part = longer;
        }
        parts.add(new TrainingConversation(part));
        return parts.stream().filter(TrainingConversation::teaches).toList();
    }

    /// What users say with the answers to it.
    private static List<List<Turn>> exchanges(TrainingConversation conversation) {
        List<List<Turn>> exchanges = new ArrayList<>();
        Speaker before = Speaker.SYSTEM;
        for (Turn turn : conversation.turns()) {
            if (turn.speaker() == Speaker.SYSTEM) {
                continue;
            }
            boolean begins = exchanges.isEmpty() || turn.speaker() == Speaker.USER && before == Speaker.ASSISTANT;
            if (begins) {
                exchanges.add(new ArrayList<>());
            }
            exchanges.getLast().add(turn);
            before = turn.speaker();
        }
        return exchanges;
    }
}
