// Beginnings of conversations.

const settings = (mode, system, temperature, top_p, max_tokens) =>
  ({mode, model: "", system, temperature, top_p, max_tokens});

export const PRESETS = [
  {
    name: "Conversation",
    hint: "Turn by turn, as between people.",
    icon: "chat",
    placeholder: "Ask anything",
    settings: settings("chat", "", 0.8, 0.95, 1024),
  },
  {
    name: "Writing",
    hint: "An editor: drafts, rewrites, ideas.",
    icon: "pen",
    placeholder: "What shall be written, for whom, how long?",
    settings: settings("chat", "You are an editor and a writer. Write plainly and vividly, in the reader's language. "
      + "Give the text itself, without remarks before or after it.", 1, 0.95, 2048),
  },
  {
    name: "Code",
    hint: "A programmer: functions, fixes, explanations.",
    icon: "code",
    placeholder: "Describe the function, or paste the code",
    settings: settings("chat", "You are a careful programmer. Answer with code in fenced blocks that name their "
      + "language, and say in a sentence what to watch out for.", 0.2, 0.95, 2048),
  },
  {
    name: "Continue a text",
    hint: "One text: the model writes on where you stop.",
    icon: "text",
    placeholder: "Begin a text; the model goes on with it",
    settings: settings("text", "", 0.9, 0.95, 256),
  },
  {
    name: "Complete code",
    hint: "One text: the model goes on with your code.",
    icon: "braces",
    placeholder: "Begin some code; the model goes on with it",
    settings: settings("text", "", 0.2, 0.95, 128),
    code: true,
  },
];

const KEPT = ["mode", "system", "temperature", "top_p", "max_tokens"];

/** Of a conversation what a preset keeps. */
export const kept = conversation => Object.fromEntries(KEPT.map(name => [name, conversation[name]]));

/** A preset of one's own, as the server tells it. */
export const owned = ({id, name, ...rest}) => ({
  id,
  name,
  hint: "Your own.",
  icon: "sliders",
  placeholder: rest.mode === "text" ? "Begin a text; the model goes on with it" : "Ask anything",
  settings: {...kept(rest), model: ""},
});

/** Whether a conversation is still answered as a preset has it. */
export const follows = (conversation, preset) =>
  KEPT.every(name => conversation[name] === preset.settings[name]);
