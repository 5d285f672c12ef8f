/// Quantised weights as files have them, and products with them, defined to the bit:
/// [ai.epitome.tensor.block.BlockMatrix], [ai.epitome.tensor.block.BlockProduct].
package ai.epitome.tensor.block;
