/// Attention over cached keys and values, without a way back: [ai.epitome.tensor.attention.CachedAttention] over
/// [ai.epitome.tensor.attention.KeyValueMemory]; and the softmax of attention in blocks.
package ai.epitome.tensor.attention;
