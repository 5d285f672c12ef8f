/// What those ask who run the service: keys, usage, health and metrics.
package ai.epitome.serve.admin;
