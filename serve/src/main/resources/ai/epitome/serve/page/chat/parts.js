// Small parts that everything is made of.
import {Component, h} from "../lib/preact.js";

const PATHS = {
  plus: "M12 5v14M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h10",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4",
  dots: "M6 12h.01M12 12h.01M18 12h.01",
  send: "M12 19V6M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  clip: "m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 4.8 4.8l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4L15 7",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "m5 13 4 4L19 7",
  pencil: "m4 20 1-4L16 5l3 3L8 19zM14 7l3 3",
  again: "M20 11a8 8 0 1 0-.7 4.5M20 5v6h-6",
  up: "M7 11v9H4v-9zM7 11l4-7a2 2 0 0 1 2.7 2L13 10h6a1.6 1.6 0 0 1 1.5 2l-2 7a1.6 1.6 0 0 1-1.5 1H7",
  down: "M7 13V4H4v9zM7 13l4 7a2 2 0 0 0 2.7-2L13 14h6a1.6 1.6 0 0 0 1.5-2l-2-7A1.6 1.6 0 0 0 17 4H7",
  compare: "M4 5h7v14H4zM13 5h7v14h-7z",
  left: "m14 6-6 6 6 6",
  right: "m10 6 6 6-6 6",
  bottom: "M12 5v13M6 13l6 6 6-6",
  sliders: "M4 8h9M17 8h3M4 16h3M11 16h9M15 6v4M9 14v4",
  close: "M6 6l12 12M18 6 6 18",
  folder: "M4 6h5l2 2h9v11H4z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  load: "M12 16V5M7 9l5-5 5 5M5 20h14",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4",
  moon: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10Z",
  auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  curve: "M4 5c4 0 4 12 16 14M4 4v16h16",
  gauge: "M4 18a9 9 0 1 1 16 0M12 14l4-5",
  keys: "M4 7h16v10H4zM8 14h8M8 10.5h.01M12 10.5h.01M16 10.5h.01",
  chat: "M5 5h14v11H11l-4 4v-4H5z",
  pen: "M5 19c6 0 12-6 14-14C11 7 5 13 5 19Zm0 0 7-7",
  code: "m9 7-5 5 5 5M15 7l5 5-5 5",
  text: "M5 6h14M5 11h14M5 16h8",
  braces: "M9 5c-3 0-2 3-2 5 0 1-1 2-3 2 2 0 3 1 3 2 0 2-1 5 2 5M15 5c3 0 2 3 2 5 0 1 1 2 3 2-2 0-3 1-3 2 0 2 1 5-2 5",
};

export const Icon = ({name}) =>
  h("svg", {viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true"}, h("path", {d: PATHS[name]}));

/** A button that only an icon tells of; its label is for those who point at it, and for those who cannot see. */
export const IconButton = ({icon, label, class: kind = "", ...rest}) =>
  h("button", {type: "button", class: `icon-button ${kind}`, "aria-label": label, title: label, ...rest},
    h(Icon, {name: icon}));

/** A button that opens a list of things to do: `items` are {label, icon, run, danger, checked}. */
export class Menu extends Component {
  #close = event => {
    if (!this.base.contains(event.target)) this.setState({open: false});
  };

  componentDidUpdate(_, before) {
    if (this.state.open && !before.open) {
      document.addEventListener("pointerdown", this.#close);
      this.base.querySelector("[role^=menuitem]")?.focus();
    } else if (!this.state.open && before.open) {
      document.removeEventListener("pointerdown", this.#close);
    }
  }

  componentWillUnmount() {
    document.removeEventListener("pointerdown", this.#close);
  }

  #key(event) {
    const items = [...this.base.querySelectorAll("[role^=menuitem]")];
    const at = items.indexOf(document.activeElement);
    const next = {ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1}[event.key];
    if (next !== undefined) {
      items[next % items.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      this.setState({open: false});
      if (event.key === "Escape") this.base.firstChild.focus();
    } else {
      return;
    }
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  }

  render({icon = "dots", label, items, class: kind = "", children}, {open}) {
    const run = item => {
      this.setState({open: false});
      this.base.firstChild.focus();
      item.run();
    };
    return h("div", {class: `menu ${kind}`, onKeyDown: event => open && this.#key(event)},
      h("button", {
        type: "button", class: children ? "menu-button" : "icon-button", "aria-label": label, title: label,
        "aria-haspopup": "menu", "aria-expanded": String(Boolean(open)),
        onClick: event => { event.preventDefault(); this.setState({open: !open}); },
      }, children ?? h(Icon, {name: icon})),
      open && h("div", {class: "menu-list", role: "menu"}, items.filter(Boolean).map(item =>
        h("button", {
          type: "button", class: item.danger ? "danger" : "", tabIndex: -1, onClick: () => run(item),
          role: item.checked === undefined ? "menuitem" : "menuitemradio",
          ...(item.checked !== undefined && {"aria-checked": String(item.checked)}),
        }, h(Icon, {name: item.checked ? "check" : item.icon ?? "right"}), item.label))));
  }
}

/** Tells those who cannot see. */
export function announce(text) {
  const place = document.getElementById("announce");
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 50);
}

export const count = (number, unit) => `${number.toLocaleString("en")} ${unit}${number === 1 ? "" : "s"}`;
