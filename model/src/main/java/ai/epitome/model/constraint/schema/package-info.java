/// JSON Schemas as grammars: [ai.epitome.model.constraint.schema.SchemaCompiler].
package ai.epitome.model.constraint.schema;
