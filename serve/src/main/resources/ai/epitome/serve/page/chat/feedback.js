// What people think of answers: good or bad, and why; or which of two is better.
import {Component, createRef, h} from "../lib/preact.js";
import {Markdown} from "./markdown.js";
import {IconButton} from "./parts.js";

/** Thumbs, and a line for the reason. */
export class Rating extends Component {
  #note = createRef();

  #rate(rating) {
    const {chats, message} = this.props;
    const same = message.rating === rating;
    chats.rate(message, same ? 0 : rating, same ? "" : message.note);
    this.setState({noting: !same}, () => this.#note.current?.focus());
  }

  #keep = event => {
    event.preventDefault();
    const {chats, message} = this.props;
    chats.rate(message, message.rating, this.#note.current.value.trim());
    this.setState({noting: false});
  };

  render({message}, {noting}) {
    const button = (rating, icon, label) => h(IconButton, {icon, label, class: message.rating === rating ? "chosen" : "",
      "aria-pressed": String(message.rating === rating), onClick: () => this.#rate(rating)});
    return h("span", {class: "rating"},
      button(1, "up", "Good answer"), button(-1, "down", "Bad answer"),
      noting && h("form", {class: "note", onSubmit: this.#keep},
        h("input", {ref: this.#note, "aria-label": "Why", placeholder: "Why? Enter keeps it", maxLength: 2000, defaultValue: message.note,
          onKeyDown: event => { if (event.key === "Escape") { event.stopPropagation(); this.setState({noting: false}); } }})),
      !noting && message.note && h("button", {type: "button", class: "noted", title: "Change the note",
        onClick: () => this.setState({noting: true}, () => this.#note.current.focus())}, message.note));
  }
}

class Side extends Component {
  #host = createRef();
  #markdown = null;

  componentDidMount() {
    this.#markdown = new Markdown(this.#host.current);
    this.componentDidUpdate();
  }

  componentDidUpdate() {
    this.#markdown.show(this.props.message?.content ?? "");
  }

  render({name, message, ready, choose, shortcut}) {
    const running = !message || message.state === "running";
    return h("section", {class: `side${running ? " running" : ""}`, "aria-label": name, "aria-busy": String(running)},
      h("div", {class: "side-text", tabIndex: 0}, !message?.content && h("p", {class: "thinking"}, h("i"), h("i"), h("i")),
        h("div", {class: "prose", ref: this.#host})),
      h("button", {type: "button", class: "better", disabled: !ready, onClick: choose}, `${name} is better`, h("kbd", {}, shortcut)));
  }
}

/** Two answers to one message, side by side; which is which is not told, so that only the words count. */
export class Comparison extends Component {
  #note = createRef();

  componentDidMount() {
    this.base.focus();
  }

  #key = event => {
    const {chats} = this.props;
    if (event.target.matches("input")) return;
    if (event.key === "1" || event.key === "2") this.#choose(Number(event.key) - 1);
    else if (event.key === "0" || event.key === "=") this.#equal();
    else if (event.key === "Escape") chats.endComparison();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  #choose(side) {
    const {chats} = this.props, numbers = chats.compared;
    if (this.#ready(numbers)) chats.prefer(numbers[side], numbers[1 - side], this.#note.current.value.trim());
  }

  /** Neither is better; the answer that was there stays. */
  #equal() {
    const {chats} = this.props, numbers = chats.comparison.numbers;
    if (this.#ready(numbers)) chats.prefer(numbers[0], numbers[1], this.#note.current.value.trim(), true);
  }

  #ready(numbers) {
    const {tree} = this.props.chats;
    return numbers.length === 2 && numbers.every(number => tree.get(number)?.state !== "running");
  }

  render({chats}) {
    const numbers = chats.compared, question = chats.tree.get(chats.comparison.parent);
    const side = (i, name) => h(Side, {key: i, name, message: chats.tree.get(numbers[i]), shortcut: i + 1,
      ready: this.#ready(numbers), choose: () => this.#choose(i)});
    return h("div", {class: "comparison", role: "region", "aria-label": "Which answer is better?", tabIndex: -1, onKeyDown: this.#key},
      h("header", {}, h("div", {}, h("h2", {}, "Which answer is better?"), h("p", {class: "fine"}, question?.content ?? "")),
        h(IconButton, {icon: "close", label: "No answer: back to the conversation", onClick: () => chats.endComparison()})),
      h("div", {class: "sides"}, side(0, "Left"), side(1, "Right")),
      h("button", {type: "button", class: "equal", disabled: !this.#ready(numbers), onClick: () => this.#equal()},
        "Equally good", h("kbd", {}, 0)),
      h("input", {ref: this.#note, class: "why", "aria-label": "Why", placeholder: "Why? (you may leave it out)", maxLength: 2000}));
  }
}
