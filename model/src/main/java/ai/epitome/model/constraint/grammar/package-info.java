/// What texts can be made of: expressions over characters and rules of them
/// ([ai.epitome.model.constraint.grammar.Expression], [ai.epitome.model.constraint.grammar.Grammar]), read from regular
/// expressions and from llama.cpp's notation; finite automata over characters; JSON as expressions.
package ai.epitome.model.constraint.grammar;
