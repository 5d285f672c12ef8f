/// What all requests have in common: connections and their time limits, answers, errors, event streams, names.
/// Nothing here knows what is asked.
package ai.epitome.serve.http;
