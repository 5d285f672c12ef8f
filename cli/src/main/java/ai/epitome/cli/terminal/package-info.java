/// What all commands share towards people and files: standard streams, progress, tables, JSON, failures, Ctrl-C.
package ai.epitome.cli.terminal;
