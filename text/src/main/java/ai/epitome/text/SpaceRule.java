package ai.epitome.text;

/// What a SentencePiece vocabulary's file says of spaces.
///
/// @param prefix whether a space goes before a text
/// @param missing whether it goes only where none is there (`Metaspace`)
/// @param first whether it goes only before the first text of a template, and not behind its control tokens
/// @param apart whether each space begins a new piece, so that no token holds two
public record SpaceRule(boolean prefix, boolean missing, boolean first, boolean apart) {
    /// SentencePiece's own.
    static SpaceRule before(boolean prefix) {
        return new SpaceRule(prefix, false, false, false);
    }
}
