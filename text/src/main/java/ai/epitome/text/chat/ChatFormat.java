package ai.epitome.text.chat;

import ai.epitome.text.MarkedText;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.jinja.JinjaException;
import ai.epitome.text.jinja.JsonValues;
import ai.epitome.text.jinja.Template;
import ai.epitome.text.jinja.Value;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// How a model wants conversations written: by its own template; or, where its files have none, as ChatML if its
/// vocabulary has the tokens, or else in plain words.
///
/// Control tokens come from the template only. What a message says is text, whatever it spells: the rendered text
/// remembers who wrote each character ([MarkedText]), and the tokenizer finds control tokens only in what the template
/// wrote.
///
/// ```java
/// ChatFormat format = ChatFormat.of(ChatTemplates.ofFolder(folder), tokenizer);
/// int[] prompt = format.encode(new Conversation(messages));
/// ```
///
/// Immutable and thread-safe.
public final class ChatFormat {
    private static final String CHATML = """
            {% for message in messages %}
            {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
            {%- endfor %}
            {{- '<|im_start|>assistant\\n' }}""";

    private static final String PLAIN = """
            {% for message in messages %}
            {% if message.role == 'system' %}
            {{ message.content + '\\n\\n' }}
            {%- else %}
            {{ message.role|capitalize + ': ' + message.content|trim + '\\n' }}
            {%- endif %}
            {% endfor %}
            {{- 'Assistant:' }}""";

    /// Tokens that end a turn, in the models that we know; llama.cpp ends at the same.
    private static final Set<String> ENDS_OF_TURN = Set.of(
            "<|im_end|>",
            "<|eot_id|>",
            "<|eom_id|>",
            "<|end|>",
            "<|endofturn|>",
            "<end_of_turn>",
            "<|END_OF_TURN_TOKEN|>",
            "<\uFF5Cend\u2581of\u2581sentence\uFF5C>");

    /// What the template is, for a person.
    private enum Origin {
        MODEL("the model's own"),
        CHATML("ChatML, since the model has no template but ChatML's tokens"),
        PLAIN("\"User: ... Assistant: ...\", since the model has no template: it may never have seen a conversation");

        private final String words;

        Origin(String words) {
            this.words = words;
        }
    }

    private final Origin origin;
    private final Template template;
    private final Optional<Template> withTools;
    private final Map<String, String> tokens;
    private final Tokenizer tokenizer;

    private ChatFormat(
            Origin origin, Template template, Optional<Template> withTools, ChatTemplates files, Tokenizer tokenizer) {
        this.origin = origin;
        this.template = template;
        this.withTools = withTools;
        this.tokens = files.tokens();
        this.tokenizer = tokenizer;
    }

    /// @throws JinjaException if the model's template cannot be read
    public static ChatFormat of(ChatTemplates files, Tokenizer tokenizer) {
        Optional<Template> withTools = files.find(ChatTemplates.TOOLS).map(Template::parse);
        Optional<Template> own =
                files.find(ChatTemplates.DEFAULT).map(Template::parse).or(() -> withTools);
        if (own.isPresent()) {
            return new ChatFormat(Origin.MODEL, own.get(), withTools, files, tokenizer);
        }
        boolean chatMl = tokenizer.specialTokens().keySet().containsAll(Set.of("<|im_start|>", "<|im_end|>"));
        return new ChatFormat(
                chatMl ? Origin.CHATML : Origin.PLAIN,
                Template.parse(chatMl ? CHATML : PLAIN),
                Optional.empty(),
                files,
                tokenizer);
    }

    /// Whether the model's files have a template.
    public boolean isOfModel() {
        return origin == Origin.MODEL;
    }

    /// What conversations are written as, for a person.
    public String describe() {
        return origin.words;
    }

    /// Texts that end an answer where no control token does.
    public List<String> stops() {
        return origin == Origin.PLAIN ? List.of("\nUser:", "\nAssistant:") : List.of();
    }

    /// Whether an answer begins with a space that belongs to the form.
    public boolean beginsWithSpace() {
        return origin == Origin.PLAIN;
    }

    /// Control tokens of a vocabulary that end a turn of a conversation.
    public static Set<Integer> endsOfTurn(Tokenizer tokenizer) {
        Set<Integer> ids = new TreeSet<>();
        tokenizer.specialTokens().forEach((name, id) -> {
            if (ENDS_OF_TURN.contains(name)) {
                ids.add(id);
            }
        });
        return ids;
    }

    /// The tokens that the model goes on from to answer.
    ///
    /// @throws JinjaException if the template goes wrong, or refuses the conversation
    public int[] encode(Conversation conversation) {
        return encode(conversation, LocalDateTime.now());
    }

    int[] encode(Conversation conversation, LocalDateTime now) {
        int[] ids = tokenizer.encode(render(conversation, now));
        return isOfModel() || tokenizer.beginOfText().isEmpty()
                ? ids // a template writes the token before every text by itself, where it wants one
                : IntStream.concat(tokenizer.beginOfText().stream(), Arrays.stream(ids))
                        .toArray();
    }

    /// The text that the model goes on from, with its marks.
    ///
    /// Templates differ in how they want calls of tools, and what OpenAI's API allows is more than most take. The
    /// forms of [MessageForms] are tried in their order; the first that the template takes is used.
    ///
    /// @throws JinjaException what the template says of the first form, if it takes none
    public MarkedText render(Conversation conversation, LocalDateTime now) {
        Template chosen = conversation.tools().isPresent() ? withTools.orElse(template) : template;
        JinjaException first = null;
        for (MessageForms form : MessageForms.of(conversation)) {
            try {
                return chosen.render(context(conversation, form, now), now);
            } catch (JinjaException e) {
                first = first == null ? e : first;
            }
        }
        throw first;
    }

    private Map<String, Value> context(Conversation conversation, MessageForms form, LocalDateTime now) {
        Map<String, Value> context = new HashMap<>();
        conversation.settings().forEach((name, value) -> context.put(name, JsonValues.of(value)));
        tokens.forEach((name, text) -> context.put(name, Value.ofTemplate(text)));
        context.put("messages", form.messages(conversation.messages()));
        context.put("add_generation_prompt", Value.TRUE);
        conversation.tools().ifPresent(tools -> context.put("tools", form.tools(tools)));
        // what one family of templates, Firefunction's, wants besides
        context.put(
                "functions",
                Value.of(conversation.tools().map(JsonNode::toString).orElse("")));
        context.put(
                "datetime",
                Value.ofTemplate(DateTimeFormatter.ofPattern("MMM dd yyyy HH:mm:ss", Locale.ENGLISH)
                        .format(now)));
        return context;
    }
}
