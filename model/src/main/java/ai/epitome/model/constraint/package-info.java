/// What a generated text must be. All begins at [Constraint], from a pattern, a grammar or a JSON schema; which tokens
/// may come next is said by its guide.
package ai.epitome.model.constraint;
