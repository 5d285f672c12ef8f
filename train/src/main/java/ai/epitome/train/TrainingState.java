package ai.epitome.train;

import java.util.Map;

/// Where a run stands, apart from its tensors: what `state.json` of a checkpoint holds.
///
/// There is no generator of random numbers to save: everything random is a function of the seed, the step and the
/// cursor.
///
/// @param version of this layout
/// @param step steps taken
/// @param cursor rows of data consumed; see [ai.epitome.train.data.BatchStream]
/// @param tokens targets trained on
/// @param bytes bytes of text that they stand for
/// @param seconds of training, without evaluation and sampling
/// @param optimizerSteps steps that the optimizer's state has seen
/// @param plan how a run by time goes on, or null while that is open
/// @param budget seconds that the plan is for, 0 for a run of steps; null in files of earlier builds
/// @param limit steps that the plan does not go beyond, 0 for as many as there are; null in files of earlier builds
/// @param guard running mean of the loss
/// @param seed of the run
/// @param threads kernel threads; another number gives other rounding
/// @param kernels what computed
/// @param data hash of the data; a run goes on with the same data only
/// @param files size and checksum of every other file of the checkpoint
record TrainingState(
        int version,
        long step,
        long cursor,
        long tokens,
        long bytes,
        double seconds,
        long optimizerSteps,
        Pace.Plan plan,
        Double budget,
        Long limit,
        LossGuard guard,
        long seed,
        int threads,
        String kernels,
        String data,
        Map<String, FileSum> files) {
    static final int VERSION = 1;

    /// What a file must be.
    ///
    /// @param bytes its size
    /// @param crc32c its checksum, hexadecimal
    record FileSum(long bytes, String crc32c) {}

    TrainingState withFiles(Map<String, FileSum> sums) {
        return new TrainingState(
                version,
                step,
                cursor,
                tokens,
                bytes,
                seconds,
                optimizerSteps,
                plan,
                budget,
                limit,
                guard,
                seed,
                threads,
                kernels,
                data,
                sums);
    }
}
