package ai.epitome.serve;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;

/// Takes a picture of a running page, as in the README. With `./epitome up` running, and the test class path of
/// `serve`:
///
/// `java ai.epitome.serve.PageScreenshot URL FILE [WIDTH HEIGHT [light|dark [PROMPT]]]`
///
/// With a prompt, the playground runs it and the picture is taken while it writes. The line that does all of it is in
/// `docs/page.md`.
final class PageScreenshot {
    private PageScreenshot() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        int width = arguments.length > 3 ? Integer.parseInt(arguments[2]) : 1280;
        int height = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 860;
        try (Browser browser = Browser.open()) {
            browser.size(width, height, 1.5).colors(arguments.length > 4 ? arguments[4] : "light");
            browser.driver().get(arguments[0]);
            Thread.sleep(1_500);
            if (arguments.length > 5) {
                browser.driver()
                        .findElement(By.id("prompt"))
                        .sendKeys(arguments[5] + Keys.chord(Keys.CONTROL, Keys.ENTER));
                Thread.sleep(4_000);
            }
            Path file = Path.of(arguments[1]).toAbsolutePath();
            Files.createDirectories(file.getParent());
            Files.write(file, browser.driver().getScreenshotAs(OutputType.BYTES));
            System.out.println("wrote " + file);
        }
    }
}
