package ai.epitome.serve.body;

import ai.epitome.serve.http.ApiException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The fields of a `multipart/form-data` body ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)), which is in memory:
///
/// ```
/// --BOUNDARY CRLF
/// Content-Disposition: form-data; name="file"; filename="a.jsonl" CRLF
/// CRLF
/// content CRLF
/// --BOUNDARY-- CRLF
/// ```
public record MultipartForm(Map<String, Part> parts) {
    private static final int MAX_PARTS = 16;
    private static final int MAX_HEAD = 4096;
    private static final Pattern BOUNDARY = Pattern.compile(";\\s*boundary=(?:\"([^\"]{1,70})\"|([^\\s;\"]{1,70}))");
    private static final Pattern NAME = Pattern.compile(";\\s*name=\"([^\"]{1,256})\"");
    private static final Pattern FILENAME = Pattern.compile(";\\s*filename=\"([^\"]{0,1024})\"");

    /// @param filename empty where the part is no file
    @SuppressWarnings("ArrayRecordComponent")
    public record Part(Optional<String> filename, byte[] content) {}

    /// @param type the value of Content-Type
    /// @throws ApiException with status 400 or 415
    public static MultipartForm parse(String type, byte[] body) {
        Matcher boundary = BOUNDARY.matcher(type);
        if (!type.toLowerCase(Locale.ROOT).startsWith("multipart/form-data") || !boundary.find()) {
            throw ApiException.badRequest(
                    415,
                    "unsupported_content_type",
                    "The body must be a form: send Content-Type: multipart/form-data.");
        }
        String name = boundary.group(1) != null ? boundary.group(1) : boundary.group(2);
        byte[] delimiter = ("\r\n--" + name).getBytes(StandardCharsets.ISO_8859_1);
        Map<String, Part> parts = new HashMap<>();
        // The first delimiter has no line break in front of it where it begins the body.
        int at = find(body, Arrays.copyOfRange(delimiter, 2, delimiter.length), 0) + delimiter.length - 2;
        if (at < delimiter.length - 2) {
            throw malformed();
        }
        while (!startsWith(body, at, "--")) {
            int head = at + 2;
            int headEnd = find(body, "\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1), at);
            int end = headEnd < 0 ? -1 : find(body, delimiter, headEnd + 2);
            boolean proper = startsWith(body, at, "\r\n")
                    && end >= headEnd + 4
                    && headEnd - head <= MAX_HEAD
                    && headEnd >= head
                    && parts.size() < MAX_PARTS;
            if (!proper) {
                throw malformed();
            }
            add(
                    new String(body, head, headEnd - head, StandardCharsets.UTF_8),
                    Arrays.copyOfRange(body, headEnd + 4, end),
                    parts);
            at = end + delimiter.length;
        }
        return new MultipartForm(parts);
    }

    private static void add(String head, byte[] content, Map<String, Part> parts) {
        String disposition = head.lines()
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-disposition:"))
                .findFirst()
                .orElseThrow(MultipartForm::malformed);
        Matcher name = NAME.matcher(disposition);
        Matcher filename = FILENAME.matcher(disposition);
        if (!name.find()) {
            throw malformed();
        }
        parts.put(
                name.group(1), new Part(filename.find() ? Optional.of(filename.group(1)) : Optional.empty(), content));
    }

    /// The text of a field; empty where there is none of this name.
    public Optional<String> text(String name) {
        return Optional.ofNullable(parts.get(name)).map(part -> new String(part.content, StandardCharsets.UTF_8));
    }

    private static boolean startsWith(byte[] body, int at, String text) {
        return at + text.length() <= body.length
                && text.equals(new String(body, at, text.length(), StandardCharsets.ISO_8859_1));
    }

    /// Where `sought` begins, from `from` on; -1 for nowhere.
    private static int find(byte[] body, byte[] sought, int from) {
        for (int i = from; i <= body.length - sought.length; i++) {
            if (body[i] == sought[0] && Arrays.equals(body, i, i + sought.length, sought, 0, sought.length)) {
                return i;
            }
        }
        return -1;
    }

    private static ApiException malformed() {
        return ApiException.badRequest(400, "malformed_form", "The body is no proper multipart form.");
    }
}
