// The messages of the branch that is shown. Only those near the window are drawn: a chat of thousands stays light.
import {Component, createRef, h} from "../lib/preact.js";
import {copyCode} from "./markdown.js";
import {Message} from "./message.js";
import {IconButton} from "./parts.js";

const BEYOND = 900; // pixels that are drawn above and below the window
const NEAR = 60; // pixels from the end that count as the end

/** A guess, until the message has been drawn. */
const guessed = message => 70 + 27 * Math.ceil(message.content.length / 75);

export class Thread extends Component {
  #host = createRef();
  #heights = new Map(); // by number of message
  #sizes = new ResizeObserver(entries => this.#measured(entries));
  #watched = new Set();
  #atEnd = true;
  #put = 0; // where the end was when the view was put there
  #scheduled = false;
  #frame = new ResizeObserver(() => this.#settle());

  componentDidMount() {
    this.#frame.observe(this.#host.current);
    this.#settle();
  }

  componentWillUnmount() {
    this.#sizes.disconnect();
    this.#frame.disconnect();
  }

  componentWillReceiveProps({conversation}) {
    if (conversation === this.props.conversation) return;
    this.#heights.clear();
    this.#atEnd = true;
  }

  componentDidUpdate({path}) {
    const {path: now, running} = this.props;
    const appended = now[path.length - 1]?.number === path.at(-1)?.number;
    if ((running || appended) && now.length > path.length) this.#atEnd = true; // what one says is shown, wherever one was
    this.#watch();
    this.#settle();
  }

  /** Notices how high the drawn messages are, also when they grow. */
  #watch() {
    const drawn = new Set(this.#host.current.querySelectorAll(".message"));
    for (const old of this.#watched) if (!drawn.has(old)) this.#sizes.unobserve(old);
    for (const fresh of drawn) if (!this.#watched.has(fresh)) this.#sizes.observe(fresh);
    this.#watched = drawn;
  }

  #measured(entries) {
    const host = this.#host.current, edge = host.getBoundingClientRect().top;
    let shift = 0, changed = false;
    for (const {target} of entries) {
      if (!target.isConnected) continue;
      const number = Number(target.dataset.number), height = target.offsetHeight;
      const message = this.props.path.find(each => each.number === number);
      const before = this.#heights.get(number) ?? (message ? guessed(message) : height);
      if (this.#heights.get(number) === height) continue;
      this.#heights.set(number, height);
      changed = true;
      if (target.getBoundingClientRect().top < edge) shift += height - before; // what is read stays in its place
    }
    if (!changed) return;
    this.forceUpdate(() => {
      if (!this.#atEnd && shift) host.scrollTop += shift;
      this.#settle();
    });
  }

  #settle() {
    const host = this.#host.current;
    if (this.#atEnd) {
      host.scrollTop = host.scrollHeight;
      this.#put = host.scrollTop;
    }
    this.#range();
  }

  #scrolled = () => {
    const host = this.#host.current, rest = host.scrollHeight - host.scrollTop - host.clientHeight;
    // An event may tell of an earlier place, and what grew since lies below: only who scrolls up leaves the end.
    this.#atEnd = rest < NEAR || (this.#atEnd && host.scrollTop >= this.#put - 1);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (this.#host.current) this.#range();
    });
  };

  #height = message => this.#heights.get(message.number) ?? guessed(message);

  /** Chooses what to draw: at the end from below, since heights that are still guessed say nothing of where that is. */
  #range() {
    const {first, end} = this.#atEnd ? this.#last() : this.#around();
    const away = !this.#atEnd;
    const {first: f, end: e, away: a} = this.state;
    if (f !== first || e !== end || a !== away) this.setState({first, end, away});
  }

  #last() {
    const {path} = this.props, room = this.#host.current.clientHeight + BEYOND;
    let first = path.length, height = 0;
    while (first > 0 && height < room) height += this.#height(path[--first]);
    return {first, end: path.length};
  }

  #around() {
    const {path} = this.props, host = this.#host.current;
    const from = host.scrollTop - BEYOND, to = host.scrollTop + host.clientHeight + BEYOND;
    let top = 0, first = 0;
    while (first < path.length - 1 && top + this.#height(path[first]) < from) top += this.#height(path[first++]);
    let end = first, bottom = top;
    while (end < path.length && bottom < to) bottom += this.#height(path[end++]);
    return {first, end};
  }

  #toEnd = () => {
    this.#atEnd = true;
    this.#settle();
  };

  #pad(from, to) {
    let height = 0;
    for (const message of this.props.path.slice(from, to)) height += this.#height(message);
    return h("div", {style: {height: `${height}px`}, "aria-hidden": "true"});
  }

  render({chats, path, running, forgotten}, {first = 0, end = 0, away}) {
    const stop = Math.min(end, path.length), start = Math.min(first, stop);
    const {tree} = chats;
    return h("div", {class: "thread-box"},
      h("div", {class: "thread", role: "feed", "aria-label": "Conversation", "aria-busy": String(Boolean(running)),
        tabIndex: 0, ref: this.#host, onScroll: this.#scrolled, onClick: copyCode},
      this.#pad(0, start),
      path.slice(start, stop).map((message, i) => {
        const at = start + i, answering = running && at === path.length - 1;
        return h(Message, {
          key: message.number, message, chats, tree, text: message.content, running: answering, busy: Boolean(running),
          last: at === path.length - 1, position: at + 1, of: path.length,
          versions: tree.children(message.parent).join() });
      }),
      this.#pad(stop, path.length),
      forgotten > 0 && h("p", {class: "aside"}, `The first ${forgotten} messages no longer fit what the model can read.`)),
      away && h(IconButton, {icon: "bottom", label: "To the newest message", class: "to-end", onClick: this.#toEnd}));
  }
}

/** A text that a person and a model write in turns, as one text. */
export class Manuscript extends Component {
  #host = createRef();

  componentDidUpdate() {
    if (this.props.running) this.#host.current.scrollTop = this.#host.current.scrollHeight;
  }

  render({chats, path, running, code}) {
    const last = path.at(-1);
    const versions = last ? chats.tree.children(last.parent) : [];
    const at = last ? versions.indexOf(last.number) : 0;
    return h("div", {class: "thread", ref: this.#host, tabIndex: 0},
      h("div", {class: `manuscript${code ? " mono" : ""}${running ? " running" : ""}`, role: "region", "aria-label": "Text"},
        path.map(message => h("span", {key: message.number, class: message.role}, message.content))),
      last && !running && h("div", {class: "tools shown"},
        versions.length > 1 && h("span", {class: "versions"},
          h(IconButton, {icon: "left", label: "Previous version", disabled: at === 0, onClick: () => chats.choose(versions[at - 1])}),
          h("span", {}, `${at + 1}/${versions.length}`),
          h(IconButton, {icon: "right", label: "Next version", disabled: at === versions.length - 1,
            onClick: () => chats.choose(versions[at + 1])})),
        h(IconButton, {icon: "copy", label: "Copy all", onClick: () =>
          navigator.clipboard.writeText(path.map(message => message.content).join(""))}),
        last.role === "assistant"
          && h(IconButton, {icon: "again", label: "Write this part again", onClick: () => chats.regenerate(last)})));
  }
}
