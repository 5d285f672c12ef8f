// The server's routes for conversations.
import {ask} from "../key.js";
import {eventsOf} from "../sse.js";

const ROOT = "/api/conversations";

async function answerOf(response) {
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Error(body?.error?.message ?? `The server answered with status ${response.status}.`);
  return body;
}

/** A request with a JSON body and a JSON answer; an error of the server is thrown with its message. */
export async function request(method, path, body) {
  try {
    return await answerOf(await ask(path, {
      method,
      cache: "no-store",
      ...(body !== undefined && {headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)}),
    }));
  } catch (error) {
    throw error instanceof TypeError ? new Error("The server cannot be reached.") : error;
  }
}

export const list = (search, offset = 0) =>
  request("GET", `${ROOT}/?limit=100&offset=${offset}&search=${encodeURIComponent(search)}`);
export const get = id => request("GET", `${ROOT}/${id}`);
export const create = settings => request("POST", `${ROOT}/`, settings);
export const change = (id, changes) => request("PATCH", `${ROOT}/${id}`, changes);
export const remove = id => request("DELETE", `${ROOT}/${id}`);
export const rate = (id, number, rating, note) => request("PATCH", `${ROOT}/${id}/messages/${number}`, {rating, note});
const PRESETS = "/api/presets";
export const presets = () => request("GET", `${PRESETS}/`);
export const keepPreset = preset => request("POST", `${PRESETS}/`, preset);
export const changePreset = (id, changes) => request("PATCH", `${PRESETS}/${id}`, changes);
export const removePreset = id => request("DELETE", `${PRESETS}/${id}`);
export const prefer = (id, choice) => request("POST", `${ROOT}/${id}/preferences`, choice);

/** The text of a file that holds a conversation. */
export async function exported(id, format) {
  const response = await ask(`${ROOT}/${id}/export?format=${format}`, {cache: "no-store"});
  if (!response.ok) await answerOf(response);
  return response.blob();
}

/** Has something answered, and yields {event, value} as it is written. */
export async function* answers(id, what, body, signal) {
  const response = await ask(`${ROOT}/${id}/${what}`, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) await answerOf(response);
  for await (const {event, data} of eventsOf(response)) {
    if (event !== "comment") yield {event, value: JSON.parse(data)};
  }
}
