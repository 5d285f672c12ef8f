// For those who run the service: models, throughput, usage, keys.
import {Component, createRef, h} from "../lib/preact.js";
import {request} from "./api.js";
import {confirmed} from "./dialog.js";
import {IconButton, count} from "./parts.js";
import {Bars, Curve, short} from "./plots.js";

const EVERY = 2_000;
const KEPT = 60; // looks

const day = time => new Date(time).toISOString().slice(0, 10);
const money = micros => (micros / 1e6).toFixed(2);

/** What is done about texts that moderation flags: words that the server knows, or none, for what the service does by default; others are files of the command line. */
const POLICIES = {"": "default", log: "counted", flag: "told", refuse: "refused", off: "ignored"};

const Policy = ({value, label, change, inner}) =>
  h("select", {ref: inner, "aria-label": label, 
    ...(change && {value: value && typeof value === "object" ? "own" : value ?? "", onChange: event => change(event.target.value)})},
    value && typeof value === "object" && h("option", {value: "own"}, "own policy"),
    Object.entries(POLICIES).map(([word, name]) => h("option", {value: word, key: word}, name)));

const Card = ({title, aside, children}) =>
  h("section", {class: "admin-card", "aria-label": title}, h("header", {}, h("h3", {}, title), aside), children);

const Cells = ({head, rows, empty}) => rows.length === 0 ? h("p", {class: "fine"}, empty)
  : h("div", {class: "table"}, h("table", {}, h("thead", {}, h("tr", {}, head.map(name => h("th", {scope: "col"}, name)))),
    h("tbody", {}, rows.map(cells => h("tr", {}, cells.map(cell => h("td", {}, cell)))))));

export class Admin extends Component {
  state = {live: null, speeds: [], usage: null, keys: [], failure: "", made: null};
  #timer = 0;
  #name = createRef();
  #scope = createRef();
  #moderation = createRef();

  componentDidMount() {
    this.#look();
    this.#load();
  }

  componentWillUnmount() {
    clearTimeout(this.#timer);
    this.gone = true;
  }

  async #tried(work) {
    try {
      await work();
      if (this.state.failure) this.setState({failure: ""});
    } catch (error) {
      this.setState({failure: error.message});
    }
  }

  #load = () => this.#tried(async () => {
    const [usage, keys] = await Promise.all([request("GET", "/api/admin/usage"), request("GET", "/api/admin/keys")]);
    this.setState({usage, keys: keys.data});
  });

  async #look() {
    await this.#tried(async () => {
      const live = await request("GET", "/api/admin/live"), {live: before, speeds} = this.state;
      const total = told => told.models.reduce((sum, model) => sum + model.generated, 0);
      const speed = before && live.at > before.at ? Math.max(0, total(live) - total(before)) / (live.at - before.at) * 1000 : 0;
      this.setState({live, speeds: [...speeds, speed].slice(-KEPT)});
    });
    if (!this.gone) this.#timer = setTimeout(() => this.#look(), EVERY);
  }

  #create = event => {
    event.preventDefault();
    this.#tried(async () => {
      const made = await request("POST", "/api/admin/keys", {
        name: this.#name.current.value, scope: this.#scope.current.value, moderation: this.#moderation.current.value || null,
      });
      this.#name.current.value = "";
      this.setState({made});
      await this.#load();
    });
  };

  #moderate = (key, moderation) => moderation !== "own" && this.#tried(async () => {
    await request("POST", `/api/admin/keys/${key.id}`, {moderation: moderation || null});
    await this.#load();
  });

  async #revoke(key) {
    const yes = await confirmed({title: `End the key “${key.name}”?`, text: "Whoever uses it is refused from now on.", confirm: "End it"});
    if (yes) await this.#tried(async () => { await request("DELETE", `/api/admin/keys/${key.id}`); await this.#load(); });
  }

  #live({live, speeds}) {
    const sum = name => live?.models.reduce((all, model) => all + model[name], 0) ?? 0;
    return h(Card, {title: "Now"},
      h("dl", {class: "tiles"}, [["Tokens per second", (speeds.at(-1) ?? 0).toFixed(0)], ["Answers under way", sum("running")], ["Waiting", sum("waiting")],
        ["Tokens since the start", short(sum("generated"))]].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
      h(Curve, {values: speeds, most: KEPT, unit: "tokens/s", label: `Tokens per second, now ${(speeds.at(-1) ?? 0).toFixed(0)}`}));
  }

  #models({live}) {
    const price = model => model.price ? `${money(model.price.input_micros)} / ${money(model.price.output_micros)}` : "free";
    return h(Card, {title: "Models"}, h(Cells, {
      empty: "None yet: the first one is on its way.",
      head: ["Model", "Context", "Conversations", "Made", "Price, in / out"],
      rows: live?.models.map(model => [model.id, model.context.toLocaleString("en"), model.chat ? "yes" : "no", day(model.created_at), price(model)]) ?? [],
    }));
  }

  #usage({usage}) {
    if (!usage) return null;
    const last = Date.parse(usage.today), days = Array.from({length: usage.days}, (_, i) => day(last - (usage.days - 1 - i) * 86_400_000));
    const sum = (rows, name) => rows.reduce((all, row) => all + row[name], 0);
    const bars = days.map(date => {
      const rows = usage.data.filter(row => row.date === date), value = sum(rows, "prompt_tokens") + sum(rows, "completion_tokens");
      return {label: date.slice(5), value, title: `${date}: ${count(value, "token")}, ${count(sum(rows, "requests"), "request")}`};
    });
    const models = [...new Set(usage.data.map(row => row.model))];
    return h(Card, {title: `The last ${usage.days} days`, aside: h(IconButton, {icon: "again", label: "Look again", onClick: this.#load})},
      h(Bars, {bars, unit: "tokens", label: `Tokens a day: ${bars.filter(bar => bar.value).map(bar => bar.title).join("; ") || "none"}`}),
      h(Cells, {
        empty: "Nothing was used.",
        head: ["Model", "Requests", "Tokens read", "Tokens written", "Cost"],
        rows: models.map(model => {
          const rows = usage.data.filter(row => row.model === model);
          return [model ?? "none", ...["requests", "prompt_tokens", "completion_tokens"].map(name => sum(rows, name).toLocaleString("en")),
            money(sum(rows, "cost_pico") / 1e6)];
        }),
      }));
  }

  #keys({keys, made}) {
    return h(Card, {title: "Keys"},
      h(Cells, {
        empty: "None: on this machine nobody needs one.",
        head: ["Name", "Key", "May", "Flagged texts", "State", "Spent this month", ""],
        rows: keys.map(key => [key.name, h("code", {}, key.hint), key.scopes.join(", "),
          key.state === "active" && h(Policy, {value: key.moderation, label: `Flagged texts of ${key.name}`, change: word => this.#moderate(key, word)}),
          key.state, money(key.spent_pico / 1e6),
          key.state === "active" && h(IconButton, {icon: "trash", label: `End ${key.name}`, onClick: () => this.#revoke(key)})]),
      }),
      made && h("p", {class: "secret", role: "status"}, "Shown this once: ", h("code", {}, made.secret),
        h(IconButton, {icon: "copy", label: "Copy the key", onClick: () => navigator.clipboard.writeText(made.secret)})),
      h("form", {class: "new-key", onSubmit: this.#create},
        h("input", {ref: this.#name, required: true, maxLength: 100, placeholder: "Name of a new key", "aria-label": "Name of a new key"}),
        h("select", {ref: this.#scope, "aria-label": "What it may do"}, ["inference", "files", "metrics", "admin"].map(scope => h("option", {}, scope))),
        h(Policy, {inner: this.#moderation, label: "What is done about flagged texts"}),
        h("button", {class: "primary"}, "Make it")));
  }

  render({openDrawer}, state) {
    return h("main", {class: "middle"},
      h("header", {class: "head"},
        h(IconButton, {icon: "menu", label: "Conversations", class: "drawer-button", onClick: openDrawer}), h("h2", {}, "Service")),
      h("div", {class: "admin"},
        state.failure && h("p", {class: "failure", role: "alert"}, state.failure),
        this.#live(state), this.#usage(state), this.#models(state), this.#keys(state)));
  }
}
