/// Fine-tuning in the background: which job is worked on, and what its process tells. What trains is outside the
/// service: see [ai.epitome.serve.tuning.TuningProgram].
package ai.epitome.serve.tuning;
