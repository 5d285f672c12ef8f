package ai.epitome.train.data;

import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What is recorded of one input file, so that a run can be repeated on the same bytes.
///
/// @param name the path as it was given
/// @param size bytes on disk (packed, where the file is packed)
/// @param sha256 of those bytes, hexadecimal
/// @param looksBinary whether the unpacked beginning looks like something other than text
public record DataFile(String name, long size, String sha256, boolean looksBinary) {
    /// Writes down the files of a run as `files`, as reports read them.
    public static void record(List<DataFile> files, ObjectNode json) {
        ArrayNode list = json.putArray("files");
        for (DataFile file : files) {
            list.addObject().put("name", file.name).put("size", file.size).put("sha256", file.sha256);
        }
    }
}
