/// `epitome up`: from text to a model that talks, in one command.
package ai.epitome.cli.up;
