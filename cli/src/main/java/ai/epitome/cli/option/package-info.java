/// What options of many commands take: numbers, sizes, times, and what computes.
package ai.epitome.cli.option;
