// Small plots, drawn as SVG elements.
import {h} from "../lib/preact.js";

const WIDTH = 420;
const HEIGHT = 110;

export const short = number => new Intl.NumberFormat("en", {notation: "compact", maximumFractionDigits: 1}).format(number);

/** The next larger 1, 2 or 5 times a power of ten. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map(each => each * power).find(each => each >= value);
}

const Frame = ({label, top, unit, children}) =>
  h("svg", {class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT + 22}`, role: "img", "aria-label": label},
    [0, 0.5, 1].map(share => {
      const y = HEIGHT - share * (HEIGHT - 14);
      return [h("line", {x1: 0, x2: WIDTH, y1: y, y2: y, class: "grid"}),
        share > 0 && h("text", {x: 0, y: y - 4}, `${short(share * top)}${share === 1 ? ` ${unit}` : ""}`)];
    }), children);

/** A curve of the last values, the newest at the right. `most` is how many there is room for. */
export function Curve({values, most, label, unit}) {
  const top = ceiling(Math.max(...values, 0));
  const x = i => WIDTH - (values.length - 1 - i) * WIDTH / (most - 1), y = value => HEIGHT - value / top * (HEIGHT - 14);
  const line = values.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return h(Frame, {label, top, unit},
    values.length > 1 && [
      h("path", {d: `${line}L${WIDTH} ${HEIGHT}L${x(0).toFixed(1)} ${HEIGHT}Z`, class: "under"}),
      h("path", {d: line, class: "curve"}),
    ]);
}

/** A bar for each of `bars`, which are {label, value, title}. */
export function Bars({bars, label, unit}) {
  const top = ceiling(Math.max(...bars.map(bar => bar.value)));
  const step = WIDTH / bars.length, width = Math.min(step - 3, 26);
  return h(Frame, {label, top, unit}, bars.map((bar, i) => {
    const height = bar.value / top * (HEIGHT - 14);
    return [
      h("rect", {x: i * step + (step - width) / 2, width, y: HEIGHT - height, height, rx: Math.min(3, height / 2), class: "bar"},
        h("title", {}, bar.title)),
      i % 7 === (bars.length - 1) % 7 && h("text", {x: (i + 0.5) * step, y: HEIGHT + 17, class: i === bars.length - 1 ? "end" : "mid"}, bar.label),
    ];
  }));
}
