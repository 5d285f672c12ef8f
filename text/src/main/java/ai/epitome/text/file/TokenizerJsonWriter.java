package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.Normalization;
import ai.epitome.text.PieceMerges;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.VocabularyPiece;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.util.DefaultPrettyPrinter;

/// Writes `tokenizer.json` for Hugging Face's tokenizers and whatever else reads it. A merge is written in one string,
/// which versions old and new understand.
final class TokenizerJsonWriter {
    private final JsonGenerator json;

    private TokenizerJsonWriter(JsonGenerator json) {
        this.json = json;
    }

    static void write(BytePairTokenizer tokenizer, OutputStream output) {
        try (JsonGenerator json =
                JsonFiles.MAPPER.writer().with(new DefaultPrettyPrinter()).createGenerator(output)) {
            new TokenizerJsonWriter(json).write(tokenizer);
        }
    }

    /// SentencePiece's scores become pairs.
    static void write(SentencePieceTokenizer tokenizer, OutputStream output) {
        try (JsonGenerator json =
                JsonFiles.MAPPER.writer().with(new DefaultPrettyPrinter()).createGenerator(output)) {
            new TokenizerJsonWriter(json).write(tokenizer);
        }
    }

    private void write(SentencePieceTokenizer tokenizer) {
        Optional<VocabularyPiece> unknown = tokenizer.pieces().stream()
                .filter(piece -> piece.type() == VocabularyPiece.Type.UNKNOWN)
                .findFirst();
        List<AddedToken> added = new ArrayList<>(tokenizer.addedTokens());
        unknown.ifPresent(
                piece -> added.addFirst(new AddedToken(tokenizer.pieces().indexOf(piece), piece.text(), true)));
        writeBeginning(added);
        SpaceRuleJson.write(tokenizer.spaces(), json);
        json.writeName("post_processor");
        Optional<AddedToken> begin = begin(tokenizer.beginOfText(), added);
        if (begin.isPresent()) {
            PostProcessorJson.write(begin.get().id(), begin.get().content(), json);
        } else {
            json.writeNull();
        }
        SpaceRuleJson.writeDecoder(tokenizer.spaces(), json);
        writeModel(tokenizer, unknown.map(VocabularyPiece::text));
        json.writeEndObject();
    }

    private void writeModel(SentencePieceTokenizer tokenizer, Optional<String> unknown) {
        List<VocabularyPiece> pieces = tokenizer.pieces();
        json.writeObjectPropertyStart("model");
        json.writeStringProperty("type", "BPE");
        json.writeNullProperty("dropout");
        if (unknown.isPresent()) {
            json.writeStringProperty("unk_token", unknown.get());
        } else {
            json.writeNullProperty("unk_token");
        }
        json.writeNullProperty("continuing_subword_prefix");
        json.writeNullProperty("end_of_word_suffix");
        json.writeBooleanProperty("fuse_unk", true);
        json.writeBooleanProperty("byte_fallback", tokenizer.spellsAllBytes());
        json.writeBooleanProperty("ignore_merges", false);
        json.writeObjectPropertyStart("vocab");
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() != VocabularyPiece.Type.UNUSED) {
                json.writeNumberProperty(pieces.get(id).escaped(), id);
            }
        }
        json.writeEndObject();
        json.writeArrayPropertyStart("merges");
        PieceMerges merges = tokenizer.merges().orElseGet(() -> PieceMerges.ofScores(pieces));
        for (int i = 0; i < merges.count(); i++) {
            json.writeString(pieces.get(merges.left()[i]).escaped() + " "
                    + pieces.get(merges.right()[i]).escaped());
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void writeBeginning(List<AddedToken> added) {
        json.writeStartObject();
        json.writeStringProperty("version", "1.0");
        json.writeNullProperty("truncation");
        json.writeNullProperty("padding");
        writeAddedTokens(added);
    }

    private static Optional<AddedToken> begin(OptionalInt id, List<AddedToken> added) {
        return added.stream()
                .filter(token -> id.equals(OptionalInt.of(token.id())))
                .findFirst();
    }

    private void write(BytePairTokenizer tokenizer) {
        writeBeginning(tokenizer.addedTokens());
        writeNormalizer(tokenizer.normalization());
        json.writeName("pre_tokenizer");
        PreTokenizerJson.write(tokenizer.splitting(), json);
        json.writeName("post_processor");
        writePostProcessor(tokenizer);
        json.writeName("decoder");
        PreTokenizerJson.writeByteLevel(false, json);
        writeModel(tokenizer.vocabulary());
        json.writeEndObject();
    }

    private void writeAddedTokens(List<AddedToken> tokens) {
        json.writeArrayPropertyStart("added_tokens");
        for (AddedToken token : tokens) {
            json.writeStartObject();
            json.writeNumberProperty("id", token.id());
            json.writeStringProperty("content", token.content());
            json.writeBooleanProperty("single_word", false);
            json.writeBooleanProperty("lstrip", false);
            json.writeBooleanProperty("rstrip", false);
            json.writeBooleanProperty("normalized", false);
            json.writeBooleanProperty("special", token.special());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void writePostProcessor(BytePairTokenizer tokenizer) {
        Optional<AddedToken> begin = begin(tokenizer.beginOfText(), tokenizer.addedTokens());
        if (begin.isPresent()) {
            PostProcessorJson.write(begin.get().id(), begin.get().content(), json);
        } else {
            PreTokenizerJson.writeByteLevel(false, json);
        }
    }

    private void writeNormalizer(Normalization normalization) {
        if (normalization == Normalization.NONE) {
            json.writeNullProperty("normalizer");
            return;
        }
        json.writeObjectPropertyStart("normalizer");
        json.writeStringProperty("type", normalization.name());
        json.writeEndObject();
    }

    private void writeModel(BytePairVocabulary vocabulary) {
        json.writeObjectPropertyStart("model");
        json.writeStringProperty("type", "BPE");
        for (String name : List.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
            json.writeNullProperty(name);
        }
        json.writeBooleanProperty("fuse_unk", false);
        json.writeBooleanProperty("byte_fallback", false);
        json.writeBooleanProperty("ignore_merges", vocabulary.wholePieces());
        json.writeObjectPropertyStart("vocab");
        for (int id = 0; id < vocabulary.size(); id++) {
            byte[] token = vocabulary.token(id);
            if (token != null) {
                json.writeNumberProperty(ByteAlphabet.toText(token), id);
            }
        }
        json.writeEndObject();
        json.writeArrayPropertyStart("merges");
        for (int i = 0; i < vocabulary.mergeCount(); i++) {
            json.writeString(ByteAlphabet.toText(vocabulary.token(vocabulary.left(i))) + " "
                    + ByteAlphabet.toText(vocabulary.token(vocabulary.right(i))));
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
