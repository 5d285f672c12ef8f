/// Archives: `compress`, `decompress`, `measure`.
package ai.epitome.cli.compress;
