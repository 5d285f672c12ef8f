/// The `epitome` command: [Main] names its commands, each a class in the package of its task.
package ai.epitome.cli;
