/// Using a model in the terminal: `generate`, `chat`, `score`.
package ai.epitome.cli.generate;
