// The conversations that there are.
import {Component, createRef, h} from "../lib/preact.js";
import {go} from "../views.js";
import {askFor, confirmed} from "./dialog.js";
import {importFile, save} from "./files.js";
import {Icon, IconButton, Menu} from "./parts.js";

const DAY = 86_400_000;

function age(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  if (time >= midnight - 6 * DAY) return "This week";
  if (time >= midnight - 29 * DAY) return "This month";
  return "Older";
}

/** Things to do with a conversation. */
export function actions(chats, conversation) {
  const {id, title, folder} = conversation;
  return [
    {label: "Rename", icon: "pencil", run: async () => {
      const name = await askFor({title: "Rename", label: "Title", value: title});
      if (name) chats.current?.id === id ? chats.change({title: name}) : chats.alter(id, {title: name});
    }},
    {label: "Move to a folder", icon: "folder", run: async () => {
      const to = await askFor({title: "Move to a folder", label: "Folder; empty for none", value: folder, confirm: "Move",
        suggestions: chats.folders, most: 100});
      if (to !== null) chats.alter(id, {folder: to});
    }},
    {label: "Export as JSON", icon: "save", run: () => save(chats, conversation, "json")},
    {label: "Export as Markdown", icon: "save", run: () => save(chats, conversation, "markdown")},
    {label: "Delete", icon: "trash", danger: true, run: async () => {
      const yes = await confirmed({title: "Delete this conversation?", confirm: "Delete",
        text: `“${title || "Untitled"}” and all its branches are gone for good.`});
      if (yes) chats.remove(id);
    }},
  ];
}

const Entry = ({chats, conversation}) => h("li", {class: conversation.id === chats.current?.id ? "open" : ""},
  h("a", {href: `#/chat/${conversation.id}`, title: conversation.title, ...(conversation.id === chats.current?.id && {"aria-current": "page"})},
    conversation.title || "Untitled", chats.runs.has(conversation.id) && h("i", {class: "busy-dot", "aria-label": "answering"})),
  h(Menu, {label: `Actions for ${conversation.title || "Untitled"}`, items: actions(chats, conversation)}));

const Group = ({chats, name, entries}) => h("section", {"aria-label": name}, h("h3", {}, name),
  h("ul", {}, entries.map(each => h(Entry, {key: each.id, chats, conversation: each}))));

const Folder = ({chats, name, entries}) => h("details", {open: true, class: "folder"},
  h("summary", {}, h(Icon, {name: "folder"}), name, h("small", {}, entries.length)),
  h("ul", {}, entries.map(each => h(Entry, {key: each.id, chats, conversation: each}))));

function grouped(list, name) {
  const groups = new Map();
  for (const each of list) groups.set(name(each), [...(groups.get(name(each)) ?? []), each]);
  return [...groups];
}

export class Sidebar extends Component {
  #timer = 0;
  #picker = createRef();

  #import = event => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) importFile(this.props.chats, file);
  };

  #search = event => {
    const {chats} = this.props;
    chats.search = event.target.value.trim();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => chats.load(), 200);
  };

  render({chats, theme, cycleTheme, shortcuts, view}) {
    const loose = chats.list.filter(each => !each.folder), filed = chats.list.filter(each => each.folder);
    return h("nav", {class: "sidebar", "aria-label": "Conversations"},
      h("header", {},
        h("a", {class: "brand", href: "#/chat"}, h("img", {src: "icon.svg", alt: "", width: 24, height: 24}), "Epitome"),
        h(IconButton, {icon: "plus", label: "New conversation", class: "new", onClick: () => go("#/chat")})),
      h("label", {class: "search"}, h(Icon, {name: "search"}),
        h("input", {type: "search", placeholder: "Search", "aria-label": "Search conversations", maxLength: 200, onInput: this.#search})),
      h("div", {class: "list"},
        grouped(filed, each => each.folder).sort(([a], [b]) => a.localeCompare(b))
          .map(([name, entries]) => h(Folder, {key: `f ${name}`, chats, name, entries})),
        grouped(loose, each => age(each.updated_at)).map(([name, entries]) => h(Group, {key: name, chats, name, entries})),
        chats.list.length === 0 && h("p", {class: "fine"}, chats.search ? "Nothing found." : "What you ask is kept here."),
        chats.more && h("button", {type: "button", onClick: () => chats.load(chats.list.length)}, "Older ones")),
      h("footer", {},
        h("a", {href: "#/learn", class: "foot"}, h(Icon, {name: "curve"}), "Training and playground"),
        h("a", {href: "#/admin", class: "foot", ...(view === "admin" && {"aria-current": "page"})}, h(Icon, {name: "gauge"}), "Service"),
        h("div", {class: "foot-row"},
          h(IconButton, {icon: "load", label: "Import a conversation", onClick: () => this.#picker.current.click()}),
          h("input", {type: "file", id: "import-file", hidden: true, tabIndex: -1, accept: ".json,.md,.markdown,.txt", ref: this.#picker, onChange: this.#import}),
          h(IconButton, {icon: {dark: "moon", light: "sun"}[theme] ?? "auto", label: `Colours: ${theme}`, onClick: cycleTheme}),
          h(IconButton, {icon: "keys", label: "Keyboard shortcuts", onClick: shortcuts}))));
  }
}
