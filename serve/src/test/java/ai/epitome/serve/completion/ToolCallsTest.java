package ai.epitome.serve.completion;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.completion.ToolCalls.Call;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/// Calls of tools in the forms in which models write them, and what only looks like one.
class ToolCallsTest {
    private final ToolCalls tools = new ToolCalls(
            JsonMapper.shared().readTree("[{\"function\": {\"name\": \"f\"}}, {\"function\": {\"name\": \"g\"}}]"));

    @Test
    void taggedCallsBehindText() {
        ToolCalls.Found found = tools.find("""
                        I look.
                        <tool_call>
                        {"name": "f", "arguments": {"x": 1}}
                        </tool_call>
                        <tool_call>{"name": "g", "arguments": {}}</tool_call>""").orElseThrow();
        assertThat(found.content()).isEqualTo("I look.");
        assertThat(found.calls()).containsExactly(new Call("f", "{\"x\":1}"), new Call("g", "{}"));
    }

    @Test
    void bareObjectsAndLists() {
        assertThat(tools.find("{\"name\": \"f\", \"parameters\": {\"x\": 1}}")
                        .orElseThrow()
                        .calls())
                .containsExactly(new Call("f", "{\"x\":1}"));
        assertThat(tools.find("{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\", \"parameters\": {}}")
                        .orElseThrow()
                        .calls())
                .hasSize(2);
        assertThat(tools.find("[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"x\": 2}}]")
                        .orElseThrow()
                        .calls())
                .containsExactly(new Call("f", "{\"x\":2}"));
    }

    @Test
    void textIsNoCall() {
        assertThat(tools.find("Nothing to call.")).isEmpty();
        assertThat(tools.find("{\"name\": \"other\", \"arguments\": {}}")).isEmpty();
        assertThat(tools.find("{\"name\": \"f\", \"arguments\": {\"x\": ")).isEmpty();
        assertThat(tools.find("{\"name\": \"f\", \"arguments\": 7}")).isEmpty();
        assertThat(tools.find("<tool_call>nonsense</tool_call>")).isEmpty();
    }

    @Test
    void onlyWhatIsSurelyTextIsGivenOut() {
        assertThat(ToolCalls.certain("I look")).isEqualTo(6);
        assertThat(ToolCalls.certain("I look <tool_")).isEqualTo(7);
        assertThat(ToolCalls.certain("I look <tool_call>{")).isEqualTo(7);
        assertThat(ToolCalls.certain("{\"name\"")).isZero();
        assertThat(ToolCalls.certain("a < b")).isEqualTo(5);
    }
}
