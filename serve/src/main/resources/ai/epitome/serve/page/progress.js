// Follows the training run, and reconnects for as long as the page is open.
import {ask} from "./key.js";
import {eventsOf} from "./sse.js";

const SILENCE = 30_000; // the server says something every 10 s; after three times that it is gone
const RETRY_FIRST = 500;
const RETRY_MOST = 5_000;
const KEPT_POINTS = 4_000;

/**
 * Calls view.none() when there is no run, view.lost() when the connection broke, and view.update(run) for every event,
 * with run = {description, baselines, status, latest, training: [], held_out: [], samples: []}.
 */
export async function follow(view) {
  for (let retry = RETRY_FIRST; ; retry = Math.min(2 * retry, RETRY_MOST)) {
    try {
      const outcome = await listen(view, () => { retry = RETRY_FIRST; });
      if (outcome === "none") return view.none();
    } catch {
      // The next attempt tells whether the server is back.
    }
    view.lost();
    await new Promise(wake => setTimeout(wake, retry));
  }
}

async function listen(view, connected) {
  const abort = new AbortController();
  let watchdog = setTimeout(() => abort.abort(), SILENCE);
  try {
    const response = await ask("/api/progress", {signal: abort.signal, cache: "no-store"});
    if (response.status === 204) return "none";
    if (!response.ok) throw new Error(`status ${response.status}`);
    let run = null;
    for await (const {event, data} of eventsOf(response)) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), SILENCE);
      if (event === "comment") continue;
      run = apply(run, event, JSON.parse(data));
      connected();
      view.update(run, event);
    }
    return "ended";
  } finally {
    clearTimeout(watchdog);
    abort.abort();
  }
}

function apply(run, event, value) {
  switch (event) {
    case "history": return value;
    case "description": run.description = value; break;
    case "baselines": run.baselines = value; break;
    case "status": run.status = value; break;
    case "sample": run.samples = [...run.samples, value].slice(-40); break;
    case "point":
      run.latest = value;
      if (value.training_loss !== null) run.training = thinned(run.training, value);
      if (value.held_out_bits_per_byte !== null) run.held_out = thinned(run.held_out, value);
  }
  return run;
}

/** A page that is open for days must not grow for days: a full curve loses every second point of its older half. */
function thinned(points, point) {
  points.push(point);
  if (points.length <= KEPT_POINTS) return points;
  return points.filter((_, i) => i % 2 === 0 || i > KEPT_POINTS / 2);
}
