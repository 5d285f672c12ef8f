// The curve of held-out bits per byte over training time, and the lines of other compressors that it falls past.
// Bits per byte are drawn on a logarithmic scale: each halving of the compressed size is as far as the one before.

const SVG = "http://www.w3.org/2000/svg";
const Y_TICKS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8];
const X_TICKS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
const LABEL_GAP = 16;
const LABEL_CHARACTER = 7.4; // pixels, at most, in most fonts

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const pad = n => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${pad(s % 60)}` : `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export class Chart {
  #host;
  #svg = make("svg", {role: "img"});
  #tip = document.createElement("div");
  #run = null;
  #scales = null;
  #pointer = null;
  #scheduled = false;

  constructor(host) {
    this.#host = host;
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    host.append(this.#svg, this.#tip);
    new ResizeObserver(() => this.#schedule()).observe(host);
    host.addEventListener("pointermove", event => this.#point(event.clientX - host.getBoundingClientRect().left));
    host.addEventListener("pointerleave", () => this.#point(null));
  }

  draw(run) {
    this.#run = run;
    this.#schedule();
  }

  #point(x) {
    this.#pointer = x;
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (this.#run) this.#render();
    });
  }

  #render() {
    const width = this.#host.clientWidth, height = this.#host.clientHeight;
    if (width === 0) return;
    const points = this.#run.held_out;
    const lines = linesOf(this.#run.baselines);
    this.#scales = this.#scale(width, height, points, lines);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.setAttribute("aria-label", this.#inWords(points, lines));
    this.#svg.replaceChildren(
      ...this.#axes(), ...this.#baselines(lines, points), ...this.#training(), ...this.#curve(points), ...this.#crosshair(points));
  }

  #scale(width, height, points, lines) {
    const label = LABEL_CHARACTER * Math.max(4, ...lines.map(([name, bits]) => labelOf(name, bits, " ✓").length));
    const box = {left: 30, right: width - 8 - label, top: 12, bottom: height - 26};
    const values = [...points.map(p => p.held_out_bits_per_byte), ...lines.map(([, bits]) => bits)];
    const lowest = values.length ? Math.min(...values) : 2, highest = values.length ? Math.max(...values) : 8;
    const low = Math.log(lowest * 0.93), high = Math.log(Math.max(highest * 1.06, lowest * 1.6));
    const last = this.#run.latest;
    const end = Math.max(10, last ? last.seconds + (last.eta_seconds ?? 0) : 0);
    return {
      box, end, low, high,
      x: seconds => box.left + (box.right - box.left) * seconds / end,
      y: bits => box.bottom - (box.bottom - box.top) * (Math.log(bits) - low) / (high - low),
    };
  }

  #axes() {
    const {box, end, low, high, x, y} = this.#scales;
    const parts = [];
    let free = Infinity;
    for (const bits of Y_TICKS.filter(tick => Math.log(tick) > low && Math.log(tick) < high)) {
      const at = y(bits);
      if (free - at < 24) continue;
      free = at;
      parts.push(make("line", {class: "grid", x1: box.left, x2: box.right, y1: at, y2: at}),
        make("text", {x: box.left - 8, y: at + 4, "text-anchor": "end"}, String(bits)));
    }
    const most = Math.max(2, Math.floor((box.right - box.left) / 64));
    const stride = X_TICKS.find(tick => end / tick <= most) ?? Math.ceil(end / most / 86400) * 86400;
    for (let seconds = 0; seconds <= end; seconds += stride) {
      parts.push(make("text", {x: x(seconds), y: box.bottom + 19, "text-anchor": "middle"}, duration(seconds)));
    }
    return parts;
  }

  #baselines(lines, points) {
    const {box, x, y} = this.#scales;
    const best = Math.min(Infinity, ...points.map(p => p.held_out_bits_per_byte));
    const parts = [];
    const places = spread(lines.map(([, bits]) => y(bits)));
    for (const [i, [name, bits]] of lines.entries()) {
      const passed = best < bits ? " passed" : "";
      const at = y(bits);
      parts.push(make("line", {class: `baseline${passed}`, x1: box.left, x2: box.right, y1: at, y2: at, "data-name": name}));
      parts.push(make("text", {class: `baseline-label${passed}`, x: box.right + 8, y: places[i] + 4, "data-name": name},
        labelOf(name, bits, passed && " ✓")));
      const crossing = crossingOf(points, bits);
      if (crossing !== null) parts.push(make("circle", {class: "crossing", cx: x(crossing), cy: at, r: 4}));
    }
    return parts;
  }

  #training() {
    const bytes = this.#run.description.bytes_per_token;
    if (!bytes || this.#run.training.length < 2) return [];
    const {box, x, y} = this.#scales;
    const path = this.#run.training
      .map(p => [x(p.seconds), y(p.training_loss / Math.LN2 / bytes)])
      .filter(([, at]) => at >= box.top && at <= box.bottom);
    return [make("path", {class: "training", d: pathOf(path)})];
  }

  #curve(points) {
    const {box, x, y} = this.#scales;
    if (points.length === 0) {
      return [make("text", {class: "waiting", x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2},
        "The first measurement is on its way")];
    }
    const path = points.map(p => [x(p.seconds), y(p.held_out_bits_per_byte)]);
    const [headX, headY] = path.at(-1);
    const under = `${pathOf(path)}L${headX} ${box.bottom}L${path[0][0]} ${box.bottom}Z`;
    return [make("path", {class: "under", d: under}), make("path", {class: "curve", d: pathOf(path)}),
      make("circle", {class: "head", cx: headX, cy: headY, r: 6})];
  }

  #crosshair(points) {
    this.#tip.hidden = this.#pointer === null || points.length === 0;
    if (this.#tip.hidden) return [];
    const {box, x, y} = this.#scales;
    const near = points.reduce((a, b) => Math.abs(x(b.seconds) - this.#pointer) < Math.abs(x(a.seconds) - this.#pointer) ? b : a);
    const at = x(near.seconds);
    this.#tip.textContent = `${near.held_out_bits_per_byte.toFixed(3)} bits per byte · step ${near.step.toLocaleString("en")} · ${duration(near.seconds)}`;
    const room = this.#host.clientWidth - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(room, at + 10))}px`;
    return [make("line", {class: "cross", x1: at, x2: at, y1: box.top, y2: box.bottom}),
      make("circle", {class: "head", cx: at, cy: y(near.held_out_bits_per_byte), r: 4.5})];
  }

  #inWords(points, lines) {
    const others = lines.map(([name, bits]) => `${name} ${bits.toFixed(2)}`).join(", ");
    if (points.length === 0) return `No measurement yet. Bits per byte of other compressors: ${others || "not known yet"}.`;
    const first = points[0], last = points.at(-1);
    return `Held-out bits per byte fell from ${first.held_out_bits_per_byte.toFixed(2)} to ${last.held_out_bits_per_byte.toFixed(2)} `
      + `in ${duration(last.seconds)}. Other compressors on the same bytes: ${others}.`;
  }
}

/** [name, bits] of the other compressors, from worst to best. */
export function linesOf(baselines) {
  return Object.entries(baselines).filter(([, bits]) => bits !== null).sort((a, b) => b[1] - a[1]);
}

/** `bzip2 -9` goes by `bzip2` here. */
const labelOf = (name, bits, mark) => `${name.split(" ")[0]} ${bits.toFixed(2)}${mark}`;

/** Places from top to bottom, moved apart where labels would lie on each other. */
function spread(places) {
  const moved = [...places];
  for (let pass = 0; pass < 50; pass++) {
    for (let i = 1; i < moved.length; i++) {
      const overlap = LABEL_GAP - (moved[i] - moved[i - 1]);
      if (overlap > 0) {
        moved[i - 1] -= overlap / 2;
        moved[i] += overlap / 2;
      }
    }
  }
  return moved;
}

function pathOf(path) {
  return path.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** The time at which the curve first fell below a line, or null. */
function crossingOf(points, bits) {
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1], after = points[i];
    const a = before.held_out_bits_per_byte, b = after.held_out_bits_per_byte;
    if (a >= bits && b < bits) return before.seconds + (after.seconds - before.seconds) * (a - bits) / (a - b);
  }
  return null;
}
