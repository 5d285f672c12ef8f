// How the open conversation is answered.
import {Component, h} from "../lib/preact.js";
import {askFor, confirmed} from "./dialog.js";
import {IconButton, Menu} from "./parts.js";
import {PRESETS, follows} from "./presets.js";

async function keep(chats, suggestion) {
  const name = await askFor({title: "Keep as a preset", label: "Name", confirm: "Keep", value: suggestion,
    suggestions: chats.own.map(each => each.name)});
  if (!name) return;
  const known = chats.own.some(each => each.name === name);
  const question = {title: `Change the preset “${name}”?`, text: "It becomes what this conversation is answered by.", confirm: "Change it"};
  if (!known || await confirmed(question)) await chats.keepPreset(name);
}

async function rename(chats, preset) {
  const name = await askFor({title: "Rename the preset", label: "Name", value: preset.name});
  if (name && name !== preset.name) await chats.renamePreset(preset, name);
}

async function remove(chats, preset) {
  const question = {title: `Delete the preset “${preset.name}”?`, text: "Conversations that began with it stay as they are.", confirm: "Delete"};
  if (await confirmed(question)) await chats.removePreset(preset);
}

/** The presets, and what can be done with one's own. */
function Presets({chats}) {
  const {settings, presets} = chats;
  const at = presets.findIndex(each => follows(settings, each)), chosen = presets[at];
  const option = (each, i) => h("option", {value: String(i), key: each.id ?? each.name}, each.name);
  const own = chosen?.id ? [
    {label: "Rename", icon: "pencil", run: () => rename(chats, chosen)},
    {label: "Delete", icon: "trash", run: () => remove(chats, chosen)},
  ] : [];
  return h("div", {class: "preset-row"},
    h("label", {}, "Preset",
      h("select", {value: String(at), onChange: event => {
        const {model, ...rest} = presets[Number(event.target.value)].settings;
        chats.change(rest);
      }}, at < 0 && h("option", {value: "-1"}, "None of them"),
      chats.own.length > 0 && h("optgroup", {label: "Your own"}, chats.own.map(option)),
      h("optgroup", {label: "Always there"}, PRESETS.map((each, i) => option(each, chats.own.length + i))))),
    h(Menu, {label: "Presets", items: [{label: "Keep as a preset", icon: "save", run: () => keep(chats, chosen?.id ? chosen.name : "")}, ...own]}));
}

const Slide = ({label, value, min, max, step, change, hint}) =>
  h("label", {class: "slide"}, h("span", {}, label), h("output", {}, value.toFixed(2)),
    h("input", {type: "range", min, max, step, value, onInput: event => change(Number(event.target.value))}),
    hint && h("small", {}, hint));

export class SettingsPanel extends Component {
  componentDidMount() {
    this.base.querySelector("select, textarea")?.focus();
  }

  render({chats, close}) {
    const {settings, models, maxTokens} = chats;
    const text = settings.mode === "text";
    return h("aside", {class: "panel", "aria-label": "Settings of this conversation", onKeyDown: event => {
      if (event.key === "Escape") { event.stopPropagation(); close(); }
    }},
    h("header", {}, h("h2", {}, "This conversation"), h(IconButton, {icon: "close", label: "Close", onClick: close})),
    h("label", {}, "Model",
      h("select", {value: chats.model?.id ?? "", onChange: event => chats.change({model: event.target.value})},
        models.map(model => h("option", {value: model.id, key: model.id}, model.id)))),
    chats.model && h("p", {class: "fine"}, `Reads ${chats.model.context.toLocaleString("en")} tokens at once.`,
      chats.model.chat ? "" : " It knows no conversations, but goes on with texts."),
    h(Presets, {chats}),
    h("fieldset", {class: "switch"}, h("legend", {}, "Kind"),
      [["chat", "Conversation"], ["text", "One text"]].map(([mode, name]) =>
        h("label", {key: mode}, h("input", {type: "radio", name: "mode", value: mode, checked: settings.mode === mode,
          onChange: () => chats.change({mode})}), h("span", {}, name)))),
    !text && h("label", {}, "System prompt",
      h("textarea", {rows: 5, maxLength: 50_000, value: settings.system, placeholder: "What the model is told before everything",
        onInput: event => chats.changeSoon({system: event.target.value})})),
    h(Slide, {label: "Temperature", value: settings.temperature, min: 0, max: 2, step: 0.05,
      hint: "0 always takes the likeliest word", change: temperature => chats.changeSoon({temperature})}),
    h(Slide, {label: "Top p", value: settings.top_p, min: 0.05, max: 1, step: 0.05,
      hint: "Unlikely words beyond this share are left out", change: top_p => chats.changeSoon({top_p})}),
    h("label", {}, "Longest answer, in tokens",
      h("input", {type: "number", inputMode: "numeric", min: 1, max: maxTokens, step: 1, value: settings.max_tokens,
        onChange: event => {
          const wanted = Math.round(Number(event.target.value));
          chats.change({max_tokens: Math.min(maxTokens, Math.max(1, wanted || settings.max_tokens))});
        }})));
  }
}
