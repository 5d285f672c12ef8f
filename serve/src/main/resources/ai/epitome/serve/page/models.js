// The models that are served, looked for again and again: the first one may still be in training.
import {ask} from "./key.js";

const PAUSE = 3_000;
const listeners = new Set();
let known = {data: [], max_tokens: 4096};
let heard = false;

/** Calls `listener` with {data: [{id, chat, context, priced}], max_tokens} now, where it is known, and on each change. */
export function onModels(listener) {
  listeners.add(listener);
  if (heard) listener(known);
}

export async function lookForModels() {
  let pause = PAUSE;
  try {
    const response = await ask("/api/models", {cache: "no-store"});
    const told = await response.json();
    if (response.ok && (!heard || JSON.stringify(told) !== JSON.stringify(known))) {
      heard = true;
      known = told;
      for (const listener of listeners) listener(known);
    }
    if (known.data.length) pause *= 5;
  } catch {
    // The page tells elsewhere that the server is away.
  }
  setTimeout(lookForModels, pause);
}
