/// The epitome command.
package ai.epitome.cli;
