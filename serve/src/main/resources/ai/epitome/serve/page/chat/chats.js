// What the page knows of conversations, and what can be done with them. Draws nothing: whoever shows it listens.
import {onModels} from "../models.js";
import {go} from "../views.js";
import * as api from "./api.js";
import {PRESETS, kept, owned} from "./presets.js";
import {Tree} from "./tree.js";

const SETTLE = 200; // milliseconds between looks at an answer that was stopped
const SETTLE_TIMES = 15;

export class Chats {
  models = [];
  maxTokens = 4096;
  list = [];
  folders = [];
  more = false;
  search = "";
  /** The conversation that is open; null for one that has not begun. */
  current = null;
  tree = new Tree([]);
  draft = {...PRESETS[0].settings};
  preset = PRESETS[0];
  /** Presets of one's own. */
  own = [];
  failure = "";
  /** Two answers that are looked at side by side: {parent, numbers, swapped}; the second may still be written. */
  comparison = null;
  /** Answers being written, by conversation. */
  runs = new Map();
  #listeners = new Set();
  #scheduled = false;
  #saving = null;

  constructor() {
    onModels(({data, max_tokens}) => {
      this.models = data;
      this.maxTokens = max_tokens;
      const talks = data.some(model => model.chat);
      if (data.length && !talks && this.draft.mode === "chat") this.begin(PRESETS.find(each => each.settings.mode === "text"));
      this.changed();
    });
  }

  listen(listener) {
    this.#listeners.add(listener);
  }

  /** Has everything drawn anew, once, before the next frame. */
  changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const draw = () => {
      if (!this.#scheduled) return;
      this.#scheduled = false;
      for (const listener of this.#listeners) listener();
    };
    requestAnimationFrame(draw);
    setTimeout(draw, 100); // windows that nobody sees have no frames
  }

  get settings() {
    return this.current ?? this.draft;
  }

  get path() {
    return this.current ? this.tree.path(this.current.leaf) : [];
  }

  get run() {
    return this.current ? this.runs.get(this.current.id) : undefined;
  }

  get model() {
    const {model, mode} = this.settings;
    return this.models.find(each => each.id === model)
      ?? this.models.find(each => mode === "text" || each.chat) ?? this.models[0];
  }

  async #tried(work) {
    try {
      return await work();
    } catch (error) {
      this.fail(error.message);
      return undefined;
    }
  }

  fail(message) {
    this.failure = message;
    this.changed();
  }

  load(offset = 0) {
    return this.#tried(async () => {
      const search = this.search;
      const {data, folders, more} = await api.list(search, offset);
      if (search !== this.search) return; // something else is looked for by now
      this.list = offset ? [...this.list, ...data] : data;
      Object.assign(this, {folders, more});
      this.changed();
    });
  }

  async open(id) {
    if (id === (this.current?.id ?? "")) return;
    this.failure = "";
    this.comparison = null;
    if (!id) {
      this.current = null;
      this.tree = new Tree([]);
      this.changed();
      return;
    }
    try {
      this.#take(await api.get(id));
    } catch (error) {
      go("#/chat", {replace: true});
      this.fail(error.message);
    }
  }

  #take({messages, ...conversation}) {
    this.current = conversation;
    this.tree = new Tree(messages);
    const run = this.runs.get(conversation.id);
    if (run?.message) this.tree.put(run.message);
    this.changed();
  }

  begin(preset) {
    this.preset = preset;
    this.draft = {...preset.settings, model: this.draft.model};
    this.changed();
  }

  /** Presets of one's own first: who has given a name to something looks for it under that name. */
  get presets() {
    return [...this.own, ...PRESETS];
  }

  loadPresets() {
    return this.#tried(async () => {
      const {data} = await api.presets();
      this.own = data.map(owned);
      if (this.preset.id) this.preset = this.own.find(each => each.id === this.preset.id) ?? PRESETS[0];
      this.changed();
    });
  }

  /** Keeps how this conversation is answered under a name; one that has the name already is changed. */
  keepPreset(name) {
    return this.#tried(async () => {
      const before = this.own.find(each => each.name === name);
      if (before) await api.changePreset(before.id, kept(this.settings));
      else await api.keepPreset({name, ...kept(this.settings)});
      await this.loadPresets();
      if (!this.current) this.preset = this.own.find(each => each.name === name) ?? this.preset;
    });
  }

  renamePreset(preset, name) {
    return this.#tried(async () => {
      await api.changePreset(preset.id, {name});
      await this.loadPresets();
    });
  }

  removePreset(preset) {
    return this.#tried(async () => {
      await api.removePreset(preset.id);
      await this.loadPresets();
    });
  }

  /** Says something; a text may be gone on with as it is. Returns whether the server took it. */
  async send(content, attachments) {
    const parent = this.current?.leaf ?? 0;
    const silent = content === "" && attachments.length === 0;
    if (!this.current) {
      const made = await this.#tried(() => api.create(this.draft));
      if (!made) return false;
      this.current = made;
      this.tree = new Tree([]);
      go(`#/chat/${made.id}`, {replace: true});
    }
    return silent ? this.#answer("answers", {parent}) : this.#answer("messages", {content, parent, attachments});
  }

  /** Says something else in a message's place. */
  edit(message, content) {
    return this.#answer("messages", {content, parent: message.parent, attachments: message.attachments});
  }

  /** Has a message answered once more. */
  regenerate(message, model = "") {
    return this.#answer("answers", {parent: message.parent, model});
  }

  async #answer(what, body) {
    const id = this.current.id;
    if (this.runs.has(id)) return false;
    const run = {controller: new AbortController(), message: null, began: performance.now()};
    this.runs.set(id, run);
    this.failure = "";
    this.changed();
    try {
      for await (const {event, value} of api.answers(id, what, body, run.controller.signal)) this.#hear(id, run, event, value);
    } catch (error) {
      if (error.name !== "AbortError") {
        this.fail(error instanceof TypeError ? "The connection to the server broke." : error.message);
      }
    }
    this.runs.delete(id);
    if (run.message?.state === "running") await this.#settle(id, run.message.number);
    this.changed();
    if (run.message) this.load();
    return run.message !== null;
  }

  #hear(id, run, event, value) {
    switch (event) {
      case "stored":
        run.message = value.messages.at(-1);
        run.forgotten = value.forgotten;
        if (this.current?.id === id) {
          for (const message of value.messages) this.tree.put(message);
          this.current = value.conversation;
          if (this.comparison?.numbers.length === 1) this.comparison.numbers.push(run.message.number);
        }
        this.list = [value.conversation, ...this.list.filter(each => each.id !== id)];
        break;
      case "delta": run.message = {...run.message, content: run.message.content + value.text}; break;
      case "error": this.failure = value.error.message; break;
      case "done": run.message = value;
    }
    if (run.message && this.current?.id === id) this.tree.put(run.message);
    this.changed();
  }

  stop() {
    this.run?.controller.abort();
  }

  /** An answer that was cut short is what the server keeps of it. */
  async #settle(id, number) {
    const show = message => {
      if (this.current?.id === id) this.tree.put(message);
      this.changed();
    };
    for (let i = 0; i < SETTLE_TIMES; i++) {
      await new Promise(resolve => { setTimeout(resolve, SETTLE); });
      const kept = await api.get(id).then(({messages}) => messages.find(each => each.number === number), () => null);
      if (kept && kept.state !== "running") return show(kept);
    }
    const last = this.current?.id === id ? this.tree.get(number) : null;
    if (last) show({...last, state: "stopped"});
  }

  /** Shows another version of a message. */
  choose(number) {
    return this.change({leaf: this.tree.tip(number)});
  }

  /** Changes the open conversation, at once on the page. */
  async change(changes) {
    if (!this.current) {
      this.draft = {...this.draft, ...changes};
      this.changed();
      return;
    }
    this.current = {...this.current, ...changes};
    this.changed();
    await this.alter(this.current.id, changes);
  }

  /** Changes of a hand that is still moving are sent when it rests. */
  changeSoon(changes) {
    if (!this.current) return void this.change(changes);
    const id = this.current.id;
    this.current = {...this.current, ...changes};
    this.changed();
    clearTimeout(this.#saving?.timer);
    const all = this.#saving?.id === id ? {...this.#saving.changes, ...changes} : changes;
    const timer = setTimeout(() => { this.#saving = null; this.alter(id, all); }, 400);
    this.#saving = {id, changes: all, timer};
  }

  alter(id, changes) {
    return this.#tried(async () => {
      const changed = await api.change(id, changes);
      this.list = this.list.map(each => (each.id === id ? changed : each));
      if (this.current?.id === id) this.current = {...changed, leaf: this.current.leaf};
      if ("folder" in changes) await this.load();
      this.changed();
    });
  }

  remove(id) {
    return this.#tried(async () => {
      this.runs.get(id)?.controller.abort();
      await api.remove(id);
      if (this.current?.id === id) go("#/chat", {replace: true});
      await this.load();
    });
  }

  rate(message, rating, note = "") {
    return this.#tried(async () => {
      const rated = await api.rate(this.current.id, message.number, rating, note);
      this.tree.put(rated);
      this.changed();
    });
  }

  /** Sets another answer beside this one: the version before it, or else one that is written for that. */
  async compare(message) {
    const others = this.tree.children(message.parent).filter(number => number !== message.number);
    this.comparison = {parent: message.parent, numbers: [message.number, ...others.slice(-1)], swapped: Math.random() < 0.5};
    this.changed();
    if (!others.length && !await this.regenerate(message)) this.endComparison();
  }

  /** Numbers of the two answers, from left to right. */
  get compared() {
    const {numbers, swapped} = this.comparison;
    return swapped && numbers.length === 2 ? numbers.toReversed() : numbers;
  }

  endComparison() {
    this.comparison = null;
    this.changed();
  }

  prefer(chosen, rejected, note, tie = false) {
    return this.#tried(async () => {
      await api.prefer(this.current.id, {chosen, rejected, note, tie});
      this.endComparison();
      await this.choose(chosen);
    });
  }
}
