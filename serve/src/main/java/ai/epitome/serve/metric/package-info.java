/// What the service counts and times, in Prometheus's form.
package ai.epitome.serve.metric;
