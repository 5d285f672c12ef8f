// Markdown as elements: parsed by marked, cleaned by DOMPurify, formulas by KaTeX, colours by highlight.js.
// Nothing is loaded from elsewhere: an image becomes a link that says where it is.
import DOMPurify from "../lib/purify.js";
import {Marked} from "../lib/marked.js";

const escaped = text =>
  text.replace(/[&<>"']/g, each => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})[each]);
const formula = (text, display) => `<span class="math" data-display="${display}">${escaped(text)}</span>`;

const math = {
  name: "math",
  level: "inline",
  start: source => source.match(/\$|\\\(/)?.index,
  tokenizer(source) {
    const found = /^\\\((.+?)\\\)/s.exec(source) ?? /^\$\$([^$]+?)\$\$/.exec(source)
      ?? /^\$(?![\s$])((?:\\.|[^\\$\n])+?)(?<!\s)\$(?![\d$])/.exec(source);
    return found ? {type: "math", raw: found[0], text: found[1]} : undefined;
  },
  renderer: token => formula(token.text, false),
};
const display = {
  name: "display",
  level: "block",
  start: source => source.match(/^(?:\$\$|\\\[)/m)?.index,
  tokenizer(source) {
    const found = /^\$\$\s*([^$]+?)\s*\$\$(?:\n|$)/.exec(source) ?? /^\\\[\s*(.+?)\s*\\\](?:\n|$)/s.exec(source);
    return found ? {type: "display", raw: found[0], text: found[1]} : undefined;
  },
  renderer: token => `<p>${formula(token.text, true)}</p>`,
};

const marked = new Marked({
  gfm: true,
  extensions: [math, display],
  renderer: {
    html: ({text}) => escaped(text),
    image: ({href, text}) => `<a class="image" href="${escaped(href)}">Image: ${escaped(text || href)}</a>`,
    code: ({text, lang}) => `<pre data-lang="${escaped((lang ?? "").trim().split(/\s/)[0])}"><code>${escaped(text)}</code></pre>`,
  },
});

const loads = new Map();

/** A classic script of ours, once; or a style sheet. */
function load(path) {
  if (!loads.has(path)) {
    loads.set(path, new Promise((resolve, reject) => {
      const style = path.endsWith(".css");
      const element = document.createElement(style ? "link" : "script");
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${path} could not be loaded`));
      if (style) Object.assign(element, {rel: "stylesheet", href: path});
      else element.src = path;
      document.head.append(element);
    }));
  }
  return loads.get(path);
}

async function typeset(element) {
  await Promise.all([load("/lib/katex.css"), load("/lib/katex.js")]);
  const source = element.textContent;
  try {
    globalThis.katex.render(source, element, {displayMode: element.dataset.display === "true", maxExpand: 200, maxSize: 20});
  } catch {
    element.classList.add("broken"); // its source stays
  }
}

async function colour(code, language) {
  await load("/lib/highlight.js");
  if (globalThis.hljs.getLanguage(language)) {
    code.innerHTML = globalThis.hljs.highlight(code.textContent, {language, ignoreIllegals: true}).value; // escaped by it
  }
}

/** Puts a bar with the language and a button above a block of code. */
function frame(pre) {
  const figure = document.createElement("figure"), bar = document.createElement("figcaption");
  const language = document.createElement("span"), copy = document.createElement("button");
  figure.className = "code";
  language.textContent = pre.dataset.lang || "text";
  copy.type = "button";
  copy.textContent = "Copy";
  copy.className = "copy-code";
  bar.append(language, copy);
  pre.replaceWith(figure);
  figure.append(bar, pre);
  pre.tabIndex = 0; // so that a keyboard scrolls it
}

function elements(token) {
  const fragment = DOMPurify.sanitize(marked.parser([token]), {
    RETURN_DOM_FRAGMENT: true,
    FORBID_TAGS: ["style", "form", "img", "video", "audio", "source", "svg", "math"],
    FORBID_ATTR: ["style", "id", "name"],
  });
  for (const link of fragment.querySelectorAll("a")) Object.assign(link, {target: "_blank", rel: "noopener noreferrer"});
  for (const pre of fragment.querySelectorAll("pre")) {
    const language = pre.dataset.lang;
    frame(pre);
    if (language) colour(pre.firstElementChild, language);
  }
  for (const table of fragment.querySelectorAll("table")) {
    const box = document.createElement("div");
    box.className = "table";
    table.replaceWith(box);
    box.append(table);
  }
  fragment.querySelectorAll(".math").forEach(typeset);
  return [...fragment.childNodes];
}

/** Keeps an element showing a Markdown text that grows: only the blocks that have changed are made anew. */
export class Markdown {
  #blocks = [];
  #text = null;

  constructor(host) {
    this.host = host;
  }

  show(text) {
    if (text === this.#text) return;
    this.#text = text;
    const tokens = marked.lexer(text).filter(token => token.type !== "space");
    let same = 0;
    while (same < tokens.length && this.#blocks[same]?.raw === tokens[same].raw) same++;
    for (const block of this.#blocks.splice(same)) block.nodes.forEach(node => node.remove());
    for (const token of tokens.slice(same)) {
      const nodes = elements(token);
      this.host.append(...nodes);
      this.#blocks.push({raw: token.raw, nodes});
    }
  }
}

/** Copies the code beside a button that was clicked, if it was one. */
export async function copyCode(event) {
  const button = event.target.closest?.(".copy-code");
  if (!button) return;
  await navigator.clipboard.writeText(button.closest("figure").querySelector("pre").textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}
