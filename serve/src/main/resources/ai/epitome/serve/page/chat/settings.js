// How the open conversation is answered.
import {Component, h} from "../lib/preact.js";
import {IconButton} from "./parts.js";
import {PRESETS, follows} from "./presets.js";

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
    const preset = PRESETS.findIndex(each => follows(settings, each));
    return h("aside", {class: "panel", "aria-label": "Settings of this conversation", onKeyDown: event => {
      if (event.key === "Escape") { event.stopPropagation(); close(); }
    }},
    h("header", {}, h("h2", {}, "This conversation"), h(IconButton, {icon: "close", label: "Close", onClick: close})),
    h("label", {}, "Model",
      h("select", {value: chats.model?.id ?? "", onChange: event => chats.change({model: event.target.value})},
        models.map(model => h("option", {value: model.id, key: model.id}, model.id)))),
    chats.model && h("p", {class: "fine"}, `Reads ${chats.model.context.toLocaleString("en")} tokens at once.`,
      chats.model.chat ? "" : " It knows no conversations, but goes on with texts."),
    h("label", {}, "Preset",
      h("select", {value: String(preset), onChange: event => {
        const {model, ...rest} = PRESETS[Number(event.target.value)].settings;
        chats.change(rest);
      }}, preset < 0 && h("option", {value: "-1"}, "Your own"),
      PRESETS.map((each, i) => h("option", {value: String(i), key: i}, each.name)))),
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
