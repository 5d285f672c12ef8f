/// Benchmarks, beside peers.
package ai.epitome.bench;
