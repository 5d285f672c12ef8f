// The chat: conversations at the side, the open one in the middle, its settings on demand.
import {Component, createRef, h, render} from "../lib/preact.js";
import {go, onView, place, view} from "../views.js";
import {Admin} from "./admin.js";
import {Chats} from "./chats.js";
import {Composer} from "./composer.js";
import {tell} from "./dialog.js";
import {Comparison} from "./feedback.js";
import {Icon, IconButton, Menu, announce} from "./parts.js";
import {PRESETS, follows} from "./presets.js";
import {SettingsPanel} from "./settings.js";
import {Sidebar, actions} from "./sidebar.js";
import {Manuscript, Thread} from "./thread.js";

const SHORTCUTS = [
  ["Ctrl + Shift + O", "New conversation"],
  ["Ctrl + K", "Search conversations"],
  ["Ctrl + .", "Settings of this conversation"],
  ["Ctrl + Shift + Enter", "Answer again"],
  ["Esc", "Stop the answer"],
  ["↑", "Edit the last message, where nothing is written"],
  ["/", "Write"],
  ["?", "This list"],
];
const THEMES = ["auto", "light", "dark"];

class App extends Component {
  state = {theme: localStorage.getItem("epitome-theme") ?? "auto", panel: false, drawer: false};
  #composer = createRef();
  #spoken = null;

  componentDidMount() {
    const {chats} = this.props;
    chats.listen(() => {
      this.forceUpdate();
      this.#tell();
    });
    onView((name, id) => {
      this.setState({drawer: false}, () => this.#tell());
      if (name === "chat") chats.open(id);
    });
    document.addEventListener("keydown", this.#key);
    chats.load();
  }

  /** A whole answer is read out once, not word for word as it comes. */
  #tell() {
    const {chats} = this.props, run = chats.run;
    if (view() !== "learn") document.title = `${view() === "admin" ? "Service" : chats.current?.title || "Chat"} · Epitome`;
    if (run && run !== this.#spoken) announce("Answering");
    if (!run && this.#spoken?.message) {
      const said = chats.path.at(-1);
      if (said?.number === this.#spoken.message.number) announce(`Answer: ${said.content.slice(0, 2000)}`);
    }
    this.#spoken = run;
  }

  #key = event => {
    if (view() !== "chat" || document.querySelector("dialog[open]")) return;
    const {chats} = this.props, command = event.ctrlKey || event.metaKey;
    const writing = event.target.matches("input, textarea, select");
    const name = `${command ? "Ctrl " : ""}${event.shiftKey && command ? "Shift " : ""}${event.key.length === 1 ? event.key.toUpperCase() : event.key}`;
    const known = {
      "Ctrl Shift O": () => go("#/chat"),
      "Ctrl K": () => { this.setState({drawer: true}); document.querySelector(".search input").focus(); },
      "Ctrl .": () => this.setState({panel: !this.state.panel}),
      "Ctrl Shift Enter": () => { const last = chats.path.at(-1); if (last?.role === "assistant") chats.regenerate(last); },
      Escape: chats.run && (() => chats.stop()),
      "/": !writing && (() => this.#composer.current?.focus()),
      "?": !writing && this.#shortcuts,
    }[name];
    if (!known) return;
    event.preventDefault();
    known();
  };

  #shortcuts = () => tell("Keyboard shortcuts", SHORTCUTS);

  #cycleTheme = () => {
    const theme = THEMES[(THEMES.indexOf(this.state.theme) + 1) % THEMES.length];
    localStorage.setItem("epitome-theme", theme);
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    this.setState({theme});
  };

  #welcome(chats) {
    const fitting = [...PRESETS, ...chats.own].filter(preset => preset.settings.mode === "text" || !chats.models.length || chats.models.some(each => each.chat));
    return h("div", {class: "welcome"},
      h("h1", {}, chats.settings.mode === "text" ? "Write together" : "What is on your mind?"),
      h("div", {class: "presets", role: "radiogroup", "aria-label": "Kind of conversation"}, fitting.map(preset =>
        h("button", {type: "button", role: "radio", key: preset.id ?? preset.name, "aria-checked": String(chats.preset === preset),
          onClick: () => { chats.begin(preset); this.#composer.current.focus(); }},
        h(Icon, {name: preset.icon}), preset.name))),
      h("p", {class: "fine", "aria-live": "polite"}, chats.preset.hint));
  }

  #body(chats) {
    const {path, current, run} = chats, running = Boolean(run);
    if (!current || (path.length === 0 && !running)) return this.#welcome(chats);
    if (chats.comparison) return h(Comparison, {chats});
    if (current.mode === "text") {
      return h(Manuscript, {key: current.id, chats, path, running, code: PRESETS.some(each => each.code && follows(current, each))});
    }
    return h(Thread, {key: current.id, chats, path, running, conversation: current.id, forgotten: run?.forgotten});
  }

  #head(chats) {
    const {current, model} = chats;
    return h("header", {class: "head"},
      h(IconButton, {icon: "menu", label: "Conversations", class: "drawer-button", onClick: () => this.setState({drawer: true})}),
      h("h2", {}, current ? current.title || "Untitled" : "New conversation"),
      chats.models.length > 1
        ? h(Menu, {label: "Model", class: "model-menu", items: chats.models.map(each =>
          ({label: each.id, checked: each.id === model?.id, run: () => chats.change({model: each.id})}))}, model?.id ?? "")
        : h("span", {class: "model-name"}, model?.id ?? ""),
      h(IconButton, {icon: "sliders", label: "Settings", "aria-pressed": String(this.state.panel),
        onClick: () => this.setState({panel: !this.state.panel})}),
      current && h(Menu, {label: "Actions", items: actions(chats, current)}));
  }

  render({chats}, {theme, panel, drawer}) {
    return h("div", {class: `shell${drawer ? " drawer" : ""}${panel && view() === "chat" ? " paneled" : ""}`},
      h(Sidebar, {chats, theme, cycleTheme: this.#cycleTheme, shortcuts: this.#shortcuts, view: view()}),
      h("div", {class: "scrim", onClick: () => this.setState({drawer: false, panel: false})}),
      view() === "admin" ? h(Admin, {openDrawer: () => this.setState({drawer: true})}) : h("main", {class: "middle"},
        this.#head(chats),
        this.#body(chats),
        chats.failure && h("p", {class: "failure", role: "alert"}, chats.failure,
          h(IconButton, {icon: "close", label: "Close", onClick: () => chats.fail("")})),
        !chats.comparison && h(Composer, {ref: this.#composer, chats, conversation: chats.current?.id,
          placeholder: chats.current ? (chats.settings.mode === "text" ? "Write on, or let the model" : "Reply") : chats.preset.placeholder})),
      panel && view() === "chat" && h(SettingsPanel, {chats, close: () => this.setState({panel: false})}));
  }
}

export function startChat(host) {
  const chats = new Chats();
  render(h(App, {chats}), host);
  chats.loadPresets();
  if (view() === "chat") chats.open(place());
}
