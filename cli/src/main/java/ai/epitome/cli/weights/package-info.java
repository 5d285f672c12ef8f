/// Models as files: `info`, `export`, `quantize`, `lora`.
package ai.epitome.cli.weights;
