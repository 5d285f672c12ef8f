// Conversations as files, out and in.
import {go} from "../views.js";
import * as api from "./api.js";

const PART = 600_000; // characters of JSON in one request; the server takes a megabyte

/** Has the browser save something. */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export async function save(chats, {id, title}, format) {
  const name = (title || "conversation").replace(/[^\p{L}\p{N} _-]+/gu, "").trim().slice(0, 60) || "conversation";
  try {
    download(await api.exported(id, format), `${name}.${format === "json" ? "json" : "md"}`);
  } catch (error) {
    chats.fail(error.message);
  }
}

/** The messages in pieces that one request each takes. */
function parts(messages) {
  const parts = [[]];
  let length = 0;
  for (const message of messages) {
    const size = JSON.stringify(message).length;
    if (length + size > PART && parts.at(-1).length) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1).push(message);
    length += size;
  }
  return parts;
}

async function importText(text, name) {
  if (!/\.json$/i.test(name)) return api.request("POST", "/api/conversations/import", {markdown: text});
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error(`${name} is not JSON.`);
  }
  if (file.format !== "epitome-conversation" || !Array.isArray(file.messages)) throw new Error(`${name} holds no conversation of Epitome.`);
  const [first, ...further] = parts(file.messages);
  const made = await api.request("POST", "/api/conversations/import", {...file, messages: first});
  for (const messages of further) await api.request("POST", `/api/conversations/${made.id}/import`, {messages});
  return further.length ? api.change(made.id, {leaf: file.conversation.leaf}) : made;
}

/** Keeps the conversation that a file holds, and opens it. */
export async function importFile(chats, file) {
  try {
    const made = await importText(await file.text(), file.name);
    await chats.load();
    go(`#/chat/${made.id}`);
  } catch (error) {
    chats.fail(error.message);
  }
}
