package ai.epitome.cli.compress;

import ai.epitome.cli.compress.Measurement.Line;
import ai.epitome.cli.terminal.Json;
import ai.epitome.compress.DescriptionLength;
import ai.epitome.train.pretrain.PrequentialCode;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Description lengths for a person or for a program.
///
/// @param folder of the model
/// @param prequential what its training run would have paid to send the training text
record MeasurementReport(Path folder, ModelBytes bytes, PrequentialCode prequential, List<Measurement> files) {
    private static final String MODEL = "epitome -m";

    void print(PrintStream out) {
        print(
                out,
                "%s: %,d parameters; %,d bytes as stored (weights %,d, tokenizer %,d, config %,d)",
                folder,
                bytes.parameters(),
                bytes.total(),
                bytes.weights(),
                bytes.tokenizer(),
                bytes.config());
        if (bytes.asBf16() < bytes.total()) {
            print(out, "  with bf16 weights it would be %,d bytes, and another model", bytes.asBf16());
        }
        switch (prequential) {
            case PrequentialCode.Code code -> print(out, code);
            case PrequentialCode.Unknown unknown ->
                print(out, "  no prequential code of a training run: %s", unknown.reason());
        }
        files.forEach(file -> print(out, file));
    }

    private static void print(PrintStream out, PrequentialCode.Code code) {
        print(
                out,
                "  its training run as a code: %,d bytes of text, each for the first time (steps 1 to %,d), in %,.0f"
                        + " bytes: %.4f bits/byte",
                code.bytes(),
                code.steps(),
                Math.ceil(code.bits() / 8),
                code.bitsPerByte());
        print(
                out,
                "    (batches before they were learned %,.0f, tokenizer and what else a receiver must be told %,.0f)",
                Math.ceil(code.batches() / 8),
                Math.ceil(code.besides() / 8));
        if (code.passes() > 1) {
            print(out, "    the run read its text %.2f times: later steps coded nothing new", code.passes());
        }
        if (code.dropout() > 0) {
            print(out, "    with dropout %.2f: longer than the model alone would need", code.dropout());
        }
    }

    private static void print(PrintStream out, Measurement file) {
        DescriptionLength model = file.model();
        boolean given = file.others().stream().anyMatch(line -> line.given().isPresent());
        out.println();
        print(
                out,
                "%s: %,d bytes%s",
                file.name(),
                model.plain(),
                file.sha256().map(hash -> ", SHA-256 " + hash).orElse(""));
        String head = given ? "%10s %18s".formatted("bits/byte", "given training") : "%10s".formatted("bits/byte");
        print(out, "%-14s %15s %s %9s  %s", "", "bytes", head, "model/it", "the model pays from");
        print(out, "%-14s %,15d %10.4f", MODEL, model.payload(), model.bitsPerByte());
        for (Line line : file.others()) {
            String before = given ? " %18s".formatted(givenRate(line)) : "";
            print(
                    out,
                    "%-14s %,15d %10.4f%s %9.4f  %s",
                    line.name(),
                    line.alone().payload(),
                    line.alone().bitsPerByte(),
                    before,
                    (double) model.payload() / line.alone().payload(),
                    size(model.breakEven(line.alone())));
        }
        String best = file.best().name();
        OptionalLong pays = model.breakEven(file.best().alone());
        print(
                out,
                "with the model's files: %,d bytes, %.4f bits/byte; against %s, the best of the others, %s",
                model.total(),
                model.totalBitsPerByte(),
                best,
                pays.isEmpty() ? "the model never pays" : "the model pays from " + size(pays) + " on");
    }

    private static String givenRate(Line line) {
        return line.given().isEmpty()
                ? ""
                : format("%.4f", 8.0 * line.given().getAsLong() / line.alone().plain());
    }

    private static String size(OptionalLong bytes) {
        return bytes.isEmpty() ? "never" : format("%,d bytes", bytes.getAsLong());
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    private static void print(PrintStream out, String pattern, Object... values) {
        out.println(format(pattern, values));
    }

    /// All of it, with null for a break-even that is never reached.
    ObjectNode toJson() {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.set("model", bytes.toJson().put("folder", folder.toString()));
        json.set("prequential", toJson(prequential));
        ArrayNode array = json.putArray("files");
        files.forEach(file -> array.add(toJson(file)));
        return json;
    }

    private static ObjectNode toJson(PrequentialCode prequential) {
        ObjectNode json = Json.MAPPER.createObjectNode();
        return switch (prequential) {
            case PrequentialCode.Unknown unknown -> json.put("unknown", unknown.reason());
            case PrequentialCode.Code code ->
                json.put("steps", code.steps())
                        .put("tokens", code.tokens())
                        .put("text_bytes", code.bytes())
                        .put("batches_bits", code.batches())
                        .put("besides_bits", code.besides())
                        .put("bits_per_byte", code.bitsPerByte())
                        .put("passes", code.passes())
                        .put("dropout", code.dropout());
        };
    }

    private static ObjectNode toJson(Measurement file) {
        DescriptionLength model = file.model();
        ObjectNode json =
                Json.MAPPER.createObjectNode().put("name", file.name()).put("bytes", model.plain());
        file.sha256().ifPresent(hash -> json.put("sha256", hash));
        json.putObject("model")
                .put("payload", model.payload())
                .put("bits_per_byte", model.bitsPerByte())
                .put("with_model", model.total())
                .put("with_model_bits_per_byte", model.totalBitsPerByte());
        ArrayNode array = json.putArray("others");
        for (Line line : file.others()) {
            ObjectNode other = array.addObject()
                    .put("name", line.name())
                    .put("payload", line.alone().payload())
                    .put("bits_per_byte", line.alone().bitsPerByte());
            line.given().ifPresent(bytes -> other.put("given_training", bytes));
            breakEven(other, model.breakEven(line.alone()));
        }
        ObjectNode best = json.putObject("best_other").put("name", file.best().name());
        breakEven(best, model.breakEven(file.best().alone()));
        return json;
    }

    private static void breakEven(ObjectNode json, OptionalLong bytes) {
        if (bytes.isPresent()) {
            json.put("break_even", bytes.getAsLong());
        } else {
            json.putNull("break_even");
        }
    }
}
