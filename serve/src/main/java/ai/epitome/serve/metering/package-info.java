/// What a request uses and leaves behind: limits, usage rows, the content filter, metrics, its line in the log.
package ai.epitome.serve.metering;
