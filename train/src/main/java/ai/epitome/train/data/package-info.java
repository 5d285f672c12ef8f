/// From files to batches: reading text, the held-out split, token shards, and the order in which windows are seen.
///
/// `files -> Corpus -> HeldOut -> Dataset (token shards on disk) -> BatchStream -> Batch`
package ai.epitome.train.data;
