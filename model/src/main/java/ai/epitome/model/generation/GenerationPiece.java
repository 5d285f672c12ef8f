package ai.epitome.model.generation;

import java.util.List;

/// A part of a generated text that will not be taken back.
///
/// Text is held back while it ends inside a character or might be the beginning of a stop string; tokens
/// are held back with it. So the texts of all pieces make up the result's text, and their tokens the
/// result's tokens.
///
/// @param text the next characters; empty when the tokens stand for no bytes
/// @param tokens the tokens that ended in this piece
public record GenerationPiece(String text, List<ScoredToken> tokens) {
    public GenerationPiece {
        tokens = List.copyOf(tokens);
    }
}
