package ai.epitome.serve.conversation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ConversationMarkdownTest {
    private static final List<String> LINES = List.of(
            "",
            "",
            "text",
            "# Title",
            "**User**",
            "<!-- epitome: user -->",
            "\\<!-- epitome: user -->",
            "\\\\<!-- epitome: x",
            "<!-- epitome: assistant -->",
            "```",
            "  indented");

    @Provide
    Arbitrary<ConversationMarkdown.Branch> branches() {
        Arbitrary<String> content =
                Arbitraries.of(LINES).list().ofMinSize(1).ofMaxSize(6).map(lines -> String.join("\n", lines));
        Arbitrary<List<String>> contents = content.list().ofMaxSize(5);
        return Combinators.combine(content, contents)
                .as((system, said) -> new ConversationMarkdown.Branch(
                        "A title",
                        system,
                        said.stream()
                                .map(text -> Message.said(0, text, List.of()))
                                .toList()));
    }

    @Property(tries = 500)
    void whatIsWrittenIsReadAgain(@ForAll("branches") ConversationMarkdown.Branch branch) {
        ConversationMarkdown.Branch read = ConversationMarkdown.parse(ConversationMarkdown.write(branch));
        assertThat(read.title()).isEqualTo(branch.title());
        assertThat(read.system()).isEqualTo(branch.system());
        assertThat(read.messages())
                .extracting(Message::content)
                .isEqualTo(branch.messages().stream().map(Message::content).toList());
    }

    @Example
    void aPlainTextIsOneMessage() {
        ConversationMarkdown.Branch read = ConversationMarkdown.parse("Just\n\nthis");
        assertThat(read.messages()).extracting(Message::content).containsExactly("Just\n\nthis");
        assertThat(read.title()).isEmpty();
    }
}
