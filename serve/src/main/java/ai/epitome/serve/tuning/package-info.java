/// Fine-tuning: the routes of its jobs, which one is worked on in the background, what its process tells, and
/// the models that come of it. What trains is outside the service: see [ai.epitome.serve.tuning.TuningProgram].
package ai.epitome.serve.tuning;
