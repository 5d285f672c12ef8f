// One message, and what can be done with it.
import {Component, createRef, h} from "../lib/preact.js";
import {Rating} from "./feedback.js";
import {Markdown} from "./markdown.js";
import {IconButton, count} from "./parts.js";

const STATES = {running: "not finished", stopped: "stopped", length: "token limit reached", filtered: "ended by the moderation policy", failed: "failed"};

/** Text of an answer, in Markdown; whatever it says, nothing of it runs. */
class Prose extends Component {
  #host = createRef();
  #markdown = null;

  shouldComponentUpdate({text}) {
    if (text !== this.props.text) this.#markdown.show(text);
    return false;
  }

  componentDidMount() {
    this.#markdown = new Markdown(this.#host.current);
    this.#markdown.show(this.props.text);
  }

  render() {
    return h("div", {class: "prose", ref: this.#host});
  }
}

/** Steps between the versions of a message. */
const Versions = ({tree, message, choose}) => {
  const versions = tree.children(message.parent);
  if (versions.length < 2) return null;
  const at = versions.indexOf(message.number);
  return h("span", {class: "versions", role: "group", "aria-label": "Versions"},
    h(IconButton, {icon: "left", label: "Previous version", disabled: at === 0, onClick: () => choose(versions[at - 1])}),
    h("span", {}, `${at + 1}/${versions.length}`),
    h(IconButton, {icon: "right", label: "Next version", disabled: at === versions.length - 1,
      onClick: () => choose(versions[at + 1])}));
};

class CopyButton extends Component {
  #copy = async () => {
    await navigator.clipboard.writeText(this.props.text);
    this.setState({done: true});
    setTimeout(() => this.setState({done: false}), 1500);
  };

  render(_, {done}) {
    return h(IconButton, {icon: done ? "check" : "copy", label: done ? "Copied" : "Copy", onClick: this.#copy});
  }
}

/** Tokens, speed and cost of an answer. */
function measures(message, priced) {
  const {completion_tokens: tokens, milliseconds, cost_pico: cost} = message;
  const speed = tokens > 1 && milliseconds > 0 ? `${((tokens - 1) / milliseconds * 1000).toFixed(0)}/s` : "";
  return [
    STATES[message.state],
    tokens ? count(tokens, "token") : "",
    speed,
    priced || cost ? `cost ${(cost / 1e12).toFixed(6).replace(/0{1,4}$/, "")}` : "",
  ].filter(Boolean).join(" · ");
}

const Attachments = ({files}) => files.length > 0 && h("ul", {class: "files"}, files.map(file =>
  h("li", {}, h("details", {}, h("summary", {}, file.name, h("small", {}, count(file.text.length, "character"))),
    h("pre", {tabIndex: 0}, file.text)))));

/** The field in which a message is written anew. */
class Editor extends Component {
  #field = createRef();

  componentDidMount() {
    const field = this.#field.current;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  render({message, save, cancel}) {
    const done = event => {
      event?.preventDefault();
      save(this.#field.current.value.trim());
    };
    const key = event => {
      event.stopPropagation();
      if (event.key === "Escape") cancel();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) done(event);
    };
    return h("form", {class: "editor", onSubmit: done},
      h("textarea", {ref: this.#field, rows: 3, "aria-label": "Edit the message", defaultValue: message.content, onKeyDown: key}),
      h("div", {class: "dialog-buttons"},
        h("button", {type: "button", onClick: cancel}, "Cancel"), h("button", {class: "primary"}, "Send")));
  }
}

/** Drawn anew only when it has changed. */
export class Message extends Component {
  shouldComponentUpdate(next, state) {
    return state.editing !== this.state.editing
      || ["message", "running", "busy", "versions", "last", "position", "of", "text"].some(name => next[name] !== this.props[name]);
  }

  #question({message, chats, tree, busy}, {editing}) {
    const edit = () => this.setState({editing: true});
    if (editing) {
      const save = text => {
        this.setState({editing: false});
        if (text) chats.edit(message, text);
      };
      return h(Editor, {message, save, cancel: () => this.setState({editing: false})});
    }
    return [
      h("div", {class: "bubble"}, h(Attachments, {files: message.attachments}), message.content),
      h("div", {class: "tools"},
        h(Versions, {tree, message, choose: number => chats.choose(number)}),
        h(CopyButton, {text: message.content}),
        h(IconButton, {icon: "pencil", label: "Edit", disabled: busy, class: "edit", onClick: edit})),
    ];
  }

  #answer({message, chats, tree, busy, running}) {
    const waiting = running && message.content === "";
    return [
      waiting ? h("p", {class: "thinking", "aria-label": "Waiting for the first word"}, h("i"), h("i"), h("i"))
        : h(Prose, {text: message.content}),
      !running && h("div", {class: "tools"},
        h(Versions, {tree, message, choose: number => chats.choose(number)}),
        h(CopyButton, {text: message.content}),
        h(IconButton, {icon: "again", label: "Answer again", class: "again", disabled: busy, onClick: () => chats.regenerate(message)}),
        h(IconButton, {icon: "compare", label: "Compare with another answer", class: "compare", disabled: busy, onClick: () => chats.compare(message)}),
        h(Rating, {chats, message}),
        h("span", {class: "measures"}, measures(message, chats.model?.priced))),
    ];
  }

  render(props, state) {
    const {message, running, last, position, of} = props;
    const user = message.role === "user";
    return h("article", {
      class: `message ${user ? "user" : "assistant"}${running ? " running" : ""}${last ? " last" : ""}`,
      "aria-label": user ? "You" : message.model || "Answer", "aria-posinset": position, "aria-setsize": of,
      "aria-busy": String(Boolean(running)), "data-number": message.number,
    }, user ? this.#question(props, state) : this.#answer(props));
  }
}
