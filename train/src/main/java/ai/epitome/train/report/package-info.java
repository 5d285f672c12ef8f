/// What a training run leaves behind: a log of every step, the compressors' baselines, and a report with its curves.
package ai.epitome.train.report;
