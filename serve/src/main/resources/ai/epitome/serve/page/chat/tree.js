// The messages of a conversation: a tree in which versions of a message have the same parent.

export class Tree {
  #messages = new Map();
  #children = new Map();

  constructor(messages) {
    for (const message of messages) this.put(message);
  }

  /** Adds a message, or puts it in place of the one with its number. */
  put(message) {
    if (!this.#messages.has(message.number)) {
      const siblings = this.#children.get(message.parent);
      if (siblings) siblings.push(message.number);
      else this.#children.set(message.parent, [message.number]);
    }
    this.#messages.set(message.number, message);
  }

  get(number) {
    return this.#messages.get(number);
  }

  get size() {
    return this.#messages.size;
  }

  /** Numbers of the messages with this parent, the oldest first. */
  children(parent) {
    return this.#children.get(parent) ?? [];
  }

  /** The messages from the first to this one. */
  path(leaf) {
    const path = [];
    for (let message = this.get(leaf); message; message = this.get(message.parent)) path.push(message);
    return path.reverse();
  }

  /** Where the newest branch below a message ends. */
  tip(number) {
    for (;;) {
      const next = this.children(number).at(-1);
      if (next === undefined) return number;
      number = next;
    }
  }
}
