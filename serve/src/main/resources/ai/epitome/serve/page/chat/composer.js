// Where one writes.
import {Component, createRef, h} from "../lib/preact.js";
import {Icon, IconButton, count} from "./parts.js";

const MOST_FILES = 8;
const MOST_CHARACTERS = 200_000;

/** A file's text. */
async function textOf(file) {
  if (file.size > 4 * MOST_CHARACTERS) throw new Error(`${file.name} is too large: at most ${MOST_CHARACTERS.toLocaleString("en")} characters.`);
  let text;
  try {
    text = new TextDecoder("utf-8", {fatal: true}).decode(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name} is not text in UTF-8.`);
  }
  if (text.includes("\0")) throw new Error(`${file.name} is not text.`);
  return {name: file.name, text};
}

export class Composer extends Component {
  state = {files: []};
  #field = createRef();
  #picker = createRef();

  componentDidMount() {
    if (matchMedia("(hover: hover)").matches) this.focus(); // a phone would show its keyboard
  }

  componentDidUpdate({conversation}) {
    if (conversation !== this.props.conversation && matchMedia("(hover: hover)").matches) this.focus();
  }

  focus() {
    this.#field.current.focus();
  }

  async #add(list) {
    const {chats} = this.props;
    try {
      const read = await Promise.all([...list].map(textOf));
      const files = [...this.state.files, ...read];
      if (files.length > MOST_FILES) throw new Error(`At most ${MOST_FILES} files go with a message.`);
      const length = files.reduce((sum, file) => sum + file.text.length, 0);
      if (length > MOST_CHARACTERS) throw new Error(`The files have ${length.toLocaleString("en")} characters; at most ${MOST_CHARACTERS.toLocaleString("en")} go with a message.`);
      this.setState({files});
    } catch (error) {
      chats.fail(error.message);
    }
    this.focus();
  }

  #send = async event => {
    event?.preventDefault();
    const {chats} = this.props, {files} = this.state, field = this.#field.current;
    const manuscript = chats.settings.mode === "text";
    const content = manuscript ? field.value : field.value.trim();
    if (chats.run || !chats.models.length || (!content && !files.length && !manuscript)) return;
    const kept = field.value;
    field.value = "";
    this.setState({files: []});
    const taken = await chats.send(content, files);
    if (!taken && !field.value) { // what was not taken stays with its writer
      field.value = kept;
      this.setState({files});
    }
  };

  #key = event => {
    const {chats} = this.props, manuscript = chats.settings.mode === "text";
    if (event.key === "Enter" && !event.isComposing && (manuscript ? event.ctrlKey || event.metaKey : !event.shiftKey)) this.#send(event);
    if (event.key === "ArrowUp" && !this.#field.current.value && !manuscript) {
      [...document.querySelectorAll(".message.user .edit")].at(-1)?.click();
      event.preventDefault();
    }
  };

  #paste = event => {
    if (event.clipboardData.files.length) {
      event.preventDefault();
      this.#add(event.clipboardData.files);
    }
  };

  #drop = event => {
    event.preventDefault();
    this.#add(event.dataTransfer.files);
  };

  render({chats, placeholder}, {files}) {
    const running = Boolean(chats.run), manuscript = chats.settings.mode === "text";
    const waiting = !chats.models.length;
    return h("form", {class: "composer", onSubmit: this.#send, onDrop: this.#drop, onDragOver: event => event.preventDefault()},
      files.length > 0 && h("ul", {class: "files"}, files.map((file, i) => h("li", {},
        h("span", {class: "file"}, file.name, h("small", {}, count(file.text.length, "character")),
          h(IconButton, {icon: "close", label: `Take ${file.name} away`, onClick: () => this.setState({files: files.filter((_, j) => j !== i)})}))))),
      h("textarea", {
        ref: this.#field, rows: 1, "aria-label": manuscript ? "Your text" : "Message", enterKeyHint: manuscript ? "enter" : "send",
        placeholder: waiting ? "A model is on its way" : placeholder, maxLength: MOST_CHARACTERS, onKeyDown: this.#key, onPaste: this.#paste,
      }),
      h("div", {class: "composer-row"},
        !manuscript && h(IconButton, {icon: "clip", label: "Attach text files", onClick: () => this.#picker.current.click()}),
        h("input", {type: "file", multiple: true, hidden: true, ref: this.#picker, tabIndex: -1, onChange: event => {
          this.#add(event.target.files);
          event.target.value = "";
        }}),
        h("span", {class: "hint"}, manuscript ? "Ctrl + Enter writes on" : "Enter sends, Shift + Enter breaks the line"),
        running
          ? h("button", {type: "button", class: "round stop", "aria-label": "Stop", title: "Stop (Esc)", onClick: () => chats.stop()}, h(Icon, {name: "stop"}))
          : h("button", {class: "round send", "aria-label": manuscript ? "Write on" : "Send", title: manuscript ? "Write on" : "Send", disabled: waiting},
            h(Icon, {name: "send"}))));
  }
}
