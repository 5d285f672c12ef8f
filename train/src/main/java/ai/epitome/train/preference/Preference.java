package ai.epitome.train.preference;

import ai.epitome.train.chat.Turn;
import java.util.List;

/// Two answers to one request, of which people (or whoever judges) prefer the first.
public sealed interface Preference {
    /// A text and two ways to go on.
    ///
    /// @param prompt may be empty
    record OfTexts(String prompt, String chosen, String rejected) implements Preference {}

    /// A conversation and two ways to go on.
    ///
    /// @param context turns that both share; none is learned
    /// @param chosen turns that follow, the last one the assistant's
    /// @param rejected likewise
    record OfTurns(List<Turn> context, List<Turn> chosen, List<Turn> rejected) implements Preference {
        public OfTurns {
            context = List.copyOf(context);
            chosen = List.copyOf(chosen);
            rejected = List.copyOf(rejected);
        }
    }
}
