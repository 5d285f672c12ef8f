package ai.epitome.model.constraint;

import ai.epitome.model.constraint.automaton.Automaton;
import ai.epitome.model.constraint.automaton.Guide;
import ai.epitome.model.constraint.automaton.Network;
import ai.epitome.model.constraint.automaton.NetworkBuilder;
import ai.epitome.model.constraint.automaton.TokenMasks;
import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.GbnfParser;
import ai.epitome.model.constraint.grammar.Grammar;
import ai.epitome.model.constraint.grammar.JsonText;
import ai.epitome.model.constraint.grammar.RegexParser;
import ai.epitome.model.constraint.schema.SchemaCompiler;
import java.util.ArrayList;
import java.util.List;

/// What a generated text must be, for any tokenizer: a regular expression, a grammar, JSON, or JSON of a schema.
///
/// ```java
/// Constraint date = Constraint.regex("\\d{4}-\\d{2}-\\d{2}");
/// Guide guide = date.guide(new TokenVocabulary(tokenizer, endOfText));
/// long[] allowed = guide.allowed(maxTokens);    // a bit for each token
/// guide.accept(token);
/// ```
///
/// All of them become rules over bytes ([Network]), whose states come up as texts reach them ([Automaton]) and get a
/// mask of the tokens that may follow each ([TokenMasks]). Making one is bounded in size, and using it in work: what is
/// too large or too ambiguous ends in a [ai.epitome.model.constraint.grammar.ConstraintException], soon.
///
/// Safe for use by any number of threads; texts of the same constraint share what has been worked out.
public final class Constraint {
    private final Network network;
    private TokenMasks masks;

    Constraint(Grammar grammar) {
        network = NetworkBuilder.build(grammar);
    }

    /// Texts that match as a whole; [RegexParser] tells the dialect.
    ///
    /// @throws ai.epitome.model.constraint.grammar.ConstraintException when it is malformed, not
    ///     supported or too large
    public static Constraint regex(String pattern) {
        return new Constraint(Grammar.of(RegexParser.parse(pattern)));
    }

    /// Texts of a grammar in llama.cpp's notation ([GbnfParser]).
    ///
    /// @throws ai.epitome.model.constraint.grammar.ConstraintException when it is malformed,
    ///     left-recursive or too large
    public static Constraint gbnf(String grammar) {
        return new Constraint(GbnfParser.parse(grammar));
    }

    /// JSON that meets a schema; [SchemaCompiler] tells what of draft 2020-12 it may say, and what is not made
    /// though the schema would allow it.
    ///
    /// @throws ai.epitome.model.constraint.grammar.ConstraintException when it is no schema, not
    ///     supported, contradicts itself or is too large
    public static Constraint jsonSchema(String schema) {
        return new Constraint(SchemaCompiler.compile(schema));
    }

    /// Calls of tools, in the forms in which models write them: each JSON between `<tool_call>` and `</tool_call>`; one
    /// bare; or all of them in a list. Which one, the model chooses.
    ///
    /// @param schema JSON Schema of one call
    /// @param most how many calls
    /// @throws ai.epitome.model.constraint.grammar.ConstraintException as [#jsonSchema]
    public static Constraint toolCalls(String schema, int most) {
        return new Constraint(CallForms.of(SchemaCompiler.compile(schema), most));
    }

    /// One of these texts.
    public static Constraint choice(List<String> texts) {
        return new Constraint(Grammar.of(Expression.anyOf(texts.stream())));
    }

    /// Any JSON object.
    public static Constraint jsonObject() {
        var rules = new ArrayList<Expression>();
        rules.add(new Expression.Reference(2));
        rules.addAll(JsonText.anyValue(1));
        return new Constraint(new Grammar(rules, List.of("root", "value", "object", "array")));
    }

    Network network() {
        return network;
    }

    /// A guide for a new text.
    public Guide guide(TokenVocabulary vocabulary) {
        return new Guide(masks(vocabulary));
    }

    private synchronized TokenMasks masks(TokenVocabulary vocabulary) {
        if (masks == null || masks.vocabulary() != vocabulary) {
            masks = new TokenMasks(network, vocabulary);
        }
        return masks;
    }

    /// Bytes of the shortest text: a text of at least so many tokens is always whole, with a vocabulary that has a
    /// token for each byte.
    public long shortest() {
        return network.shortest();
    }

    /// Whether the whole text is allowed.
    public boolean accepts(byte[] text) {
        return new Automaton(network).accepts(text);
    }
}
