/// What is read off a request: JSON bodies and their fields, forms, and which part of a list is asked for.
package ai.epitome.serve.body;
