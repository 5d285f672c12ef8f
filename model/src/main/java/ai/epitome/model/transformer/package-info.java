/// The network: its shape, parameters and function, adapters of it, and what weight files call its parameters.
/// [ai.epitome.model.transformer.Transformer] stands on one screen.
package ai.epitome.model.transformer;
