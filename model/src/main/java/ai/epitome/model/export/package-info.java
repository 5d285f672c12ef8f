/// Models written anew, row by row from file to file: as GGUF, for transformers, for llama2.c.
/// [ai.epitome.model.export.StoredModel] is what is written.
package ai.epitome.model.export;
