/// What a generated text must be: patterns, grammars and JSON schemas, and which tokens they allow next. From outside,
/// all begins at [ai.epitome.model.constraint.Constraint].
package ai.epitome.model.constraint;
