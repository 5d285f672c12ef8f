// Which part of the page is shown: #/chat, #/chat/ID, #/learn or #/admin; without any, what suits the models.
import {onModels} from "./models.js";

const VIEWS = ["chat", "learn", "admin"];
const listeners = new Set();
let suits = null; // unknown until the server has told of its models

const parts = () => location.hash.replace(/^#\//, "").split("/");

export const view = () => (VIEWS.includes(parts()[0]) ? parts()[0] : suits ?? "learn");

/** What follows the view: a conversation's id. */
export const place = () => (VIEWS.includes(parts()[0]) ? decodeURIComponent(parts()[1] ?? "") : "");

export function onView(listener) {
  listeners.add(listener);
}

export function go(hash, {replace = false} = {}) {
  if (location.hash === hash) return;
  if (replace) {
    history.replaceState(null, "", hash);
    show();
  } else {
    location.hash = hash;
  }
}

function show() {
  document.body.dataset.view = view();
  document.getElementById("learn").hidden = view() !== "learn";
  document.getElementById("app").hidden = view() === "learn";
  for (const listener of listeners) listener(view(), place());
}

export function startViews() {
  addEventListener("hashchange", show);
  onModels(({data}) => {
    const typing = document.getElementById("playground").contains(document.activeElement);
    if (!typing) suits = data.some(model => model.chat) ? "chat" : "learn";
    document.body.classList.toggle("served", data.length > 0);
    show();
  });
  show();
}
