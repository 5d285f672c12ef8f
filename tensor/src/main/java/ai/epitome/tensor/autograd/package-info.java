/// Differentiation: [ai.epitome.tensor.autograd.Tape] computes the operations and goes back,
/// [ai.epitome.tensor.autograd.Parameter] is what learns. An operation's way forward and way back are one class.
package ai.epitome.tensor.autograd;
