// Puts the training run, the playground and the chat on the page.
import {startChat} from "./chat/app.js";
import {Chart, duration, linesOf} from "./chart.js";
import {startKey} from "./key.js";
import {lookForModels} from "./models.js";
import {startPlayground} from "./playground.js";
import {follow} from "./progress.js";
import {startViews, view} from "./views.js";

const $ = id => document.getElementById(id);
const PHASES = {
  preparing: "Preparing",
  training: "Training",
  evaluating: "Measuring",
  ready: "Ready",
  failed: "Failed",
  lost: "Connection lost, trying again",
};
const chart = new Chart($("chart"));
let passed = null; // names of the compressors that the model has left behind; null before the first history
let newestSample = null;

const number = value => value === null ? "–" : value.toLocaleString("en", {maximumFractionDigits: 0});

function phase(name) {
  document.body.dataset.phase = name;
  const text = PHASES[name];
  if ($("status").textContent !== text) $("status").textContent = text;
}

function update(run, event) {
  phase(run.status.phase);
  const told = run.status.phase !== "ready" || run.latest !== null || run.samples.length > 0; // else it ended long ago
  $("learning").hidden = $("samples").hidden = !told;
  $("main").classList.toggle("both", told);
  if (event === "history" || event === "description") describe(run.description);
  if (event === "history" || event === "status") message(run.status);
  if (event === "history" || event === "sample") samples(run.samples);
  if (run.latest) numbers(run);
  compare(run);
  chart.draw(run);
  if (view() === "learn") document.title = run.held_out.length ? `${run.held_out.at(-1).held_out_bits_per_byte.toFixed(3)} · Epitome` : "Epitome";
}

function describe(description) {
  $("title").textContent = description.title;
  $("kernels").textContent = description.kernels;
}

function message(status) {
  $("alert").hidden = status.phase !== "failed";
  $("alert").textContent = status.phase === "failed" ? `Training failed. ${status.message}` : "";
  if (status.phase === "ready") {
    $("samples-heading").textContent = "What it wrote as it learned";
    putPlaygroundFirst();
  }
}

/** Once the run is over, talking to the model matters most. Not under the fingers of someone who types there. */
function putPlaygroundFirst() {
  const playground = $("playground");
  if (!playground.contains(document.activeElement)) $("main").prepend(playground, $("samples"));
}

function numbers(run) {
  const {latest} = run, trained = run.status.phase === "ready";
  const left = trained ? 0 : latest.eta_seconds;
  $("step").textContent = number(latest.step);
  $("speed").textContent = number(latest.tokens_per_second);
  $("loss").textContent = latest.training_loss === null ? "–" : latest.training_loss.toFixed(3);
  $("elapsed").textContent = duration(latest.seconds);
  $("eta").textContent = trained ? "done" : left === null ? "–" : duration(left);
  $("done").value = left === null ? 0 : latest.seconds / Math.max(1e-9, latest.seconds + left);
}

function compare(run) {
  const last = run.held_out.at(-1);
  if (!last) return;
  const bits = last.held_out_bits_per_byte;
  $("bits").textContent = bits.toFixed(3);
  const lines = linesOf(run.baselines);
  const behind = lines.filter(([, value]) => bits < value), ahead = lines.filter(([, value]) => bits >= value);
  const names = list => new Intl.ListFormat("en").format(list.map(([name]) => name));
  if (lines.length) {
    $("verdict").textContent = [
      behind.length ? `Already better than ${names(behind)} on the same bytes.` : "",
      ahead.length ? `Next: ${ahead[0][0]} at ${ahead[0][1].toFixed(2)}.` : "",
    ].filter(Boolean).join(" ");
  }
  const now = behind.map(([name]) => name);
  const fresh = passed === null ? [] : now.filter(name => !passed.includes(name));
  if (fresh.length) $("announce").textContent = `Now better than ${fresh.join(" and ")}: ${bits.toFixed(2)} bits per byte.`;
  passed = now;
}

function samples(list) {
  const newest = list.at(-1);
  $("no-samples").hidden = list.length > 0;
  if (newest && JSON.stringify(newest) === newestSample) return;
  newestSample = JSON.stringify(newest);
  $("sample-list").replaceChildren(...list.toReversed().map(sampleItem));
}

function sampleItem(sample) {
  const item = document.createElement("li"), when = document.createElement("p"), quote = document.createElement("blockquote");
  const given = document.createElement("span");
  when.className = "when";
  when.textContent = `step ${sample.step.toLocaleString("en")}`;
  given.className = "given";
  given.textContent = sample.prompt;
  quote.append(given, document.createTextNode(sample.text));
  item.append(when, quote);
  return item;
}

startKey();
startPlayground();
startChat(document.getElementById("app"));
startViews();
lookForModels();
follow({
  update,
  lost: () => phase("lost"),
  none: () => { phase("ready"); },
});
