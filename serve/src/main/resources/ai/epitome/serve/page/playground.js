// Prompt in, streaming completion out. The model's text goes into the page as text nodes only.
import {ask} from "./key.js";
import {onModels} from "./models.js";
import {eventsOf} from "./sse.js";
import {view} from "./views.js";

const $ = id => document.getElementById(id);
const ENDS = {stop: "the text ended", length: "max tokens reached"};

let running = null; // the AbortController of the completion under way

export function startPlayground() {
  for (const id of ["temperature", "top-p"]) {
    const show = () => { document.querySelector(`output[for=${id}]`).value = Number($(id).value).toFixed(2); };
    $(id).addEventListener("input", show);
    show();
  }
  if (navigator.platform.startsWith("Mac")) $("run").querySelector("kbd").textContent = "⌘ ⏎";
  $("form").addEventListener("submit", event => { event.preventDefault(); run(); });
  $("halt").addEventListener("click", () => running?.abort());
  $("more").addEventListener("click", () => { $("prompt").value = $("given").textContent + $("text").textContent; run(); });
  document.addEventListener("keydown", event => {
    if (view() !== "learn") return;
    if (event.key === "Escape") running?.abort();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !$("form").hidden) {
      event.preventDefault();
      $("form").requestSubmit();
    }
  });
  onModels(({data}) => show(data.map(model => model.id)));
}

function show(ids) {
  const select = $("model");
  if (ids.join("\n") !== [...select.options].map(option => option.value).join("\n")) {
    const chosen = select.value;
    select.replaceChildren(...ids.map(id => new Option(id, id, false, id === chosen)));
  }
  $("waiting").hidden = ids.length > 0;
  $("form").hidden = ids.length === 0;
  $("model-many").hidden = ids.length < 2;
  $("model-one").hidden = ids.length >= 2;
  $("model-one").textContent = ids[0] ?? "";
}

function body() {
  const seed = $("seed").value.trim(), stop = $("stop").value;
  return {
    model: $("model").value,
    prompt: $("prompt").value,
    temperature: Number($("temperature").value),
    top_p: Number($("top-p").value),
    max_tokens: Number($("max-tokens").value),
    ...(seed && {seed: Number(seed)}),
    ...(stop && {stop: stop.replaceAll("\\n", "\n").replaceAll("\\t", "\t")}),
    stream: true,
    stream_options: {include_usage: true},
  };
}

async function run() {
  if (running) return;
  const request = body();
  const abort = running = new AbortController();
  begin(request.prompt);
  const told = {tokens: 0, first: 0, end: ""};
  try {
    const response = await ask("/v1/completions", {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify(request),
      signal: abort.signal,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    await take(response, told);
    rate(told, told.end);
  } catch (error) {
    if (error.name === "AbortError") rate(told, "stopped");
    else fail(error instanceof TypeError ? "The connection to the server broke." : error.message);
  } finally {
    running = null;
    finish();
  }
}

async function take(response, told) {
  for await (const {data} of eventsOf(response)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Error(chunk.error.message);
    told.first ||= performance.now();
    if (chunk.usage) told.tokens = chunk.usage.completion_tokens;
    for (const choice of chunk.choices) {
      if (choice.text) append(choice.text, told);
      if (choice.finish_reason) told.end = ENDS[choice.finish_reason];
    }
  }
  throw new Error("The server ended the stream early.");
}

function append(text, told) {
  const output = $("output");
  const atEnd = output.scrollTop + output.clientHeight > output.scrollHeight - 40;
  const place = $("text");
  if (place.firstChild) place.firstChild.appendData(text);
  else place.append(document.createTextNode(text));
  if (atEnd) output.scrollTop = output.scrollHeight;
  told.tokens++;
  rate(told, "");
}

function begin(prompt) {
  $("output").hidden = false;
  $("output").classList.add("busy");
  $("given").textContent = prompt;
  $("text").textContent = "";
  $("run").disabled = $("more").disabled = true;
  $("halt").disabled = false;
  $("rate").classList.remove("bad");
  $("rate").textContent = "waiting for the first token";
}

function finish() {
  $("output").classList.remove("busy");
  $("run").disabled = false;
  $("halt").disabled = true;
  $("more").disabled = $("text").textContent === "";
}

function rate(told, end) {
  const seconds = (performance.now() - told.first) / 1000;
  const speed = told.first && told.tokens > 1 && seconds > 0 ? ` at ${(told.tokens / seconds).toFixed(0)}/s` : "";
  $("rate").textContent = [`${told.tokens.toLocaleString("en")} tokens${speed}`, end].filter(Boolean).join(" · ");
}

function fail(message) {
  $("rate").classList.add("bad");
  $("rate").textContent = message;
}
