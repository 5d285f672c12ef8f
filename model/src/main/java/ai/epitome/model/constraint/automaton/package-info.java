/// Grammars over bytes, followed byte by byte ([ai.epitome.model.constraint.automaton.Automaton]), and the tokens that
/// may come next ([ai.epitome.model.constraint.automaton.TokenMasks]); [ai.epitome.model.constraint.automaton.Guide]
/// leads one text.
package ai.epitome.model.constraint.automaton;
