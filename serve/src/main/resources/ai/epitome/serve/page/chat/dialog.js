// Questions that want an answer before anything goes on, in the browser's own modal dialog.

function build(title) {
  const dialog = document.createElement("dialog");
  const form = document.createElement("form"), heading = document.createElement("h2");
  form.method = "dialog";
  heading.textContent = title;
  heading.id = "dialog-title";
  dialog.setAttribute("aria-labelledby", heading.id);
  form.append(heading);
  dialog.append(form);
  return {dialog, form};
}

function buttons(form, confirm, danger) {
  const row = document.createElement("div"), no = document.createElement("button"), yes = document.createElement("button");
  row.className = "dialog-buttons";
  no.type = "button";
  no.textContent = "Cancel";
  no.addEventListener("click", () => form.closest("dialog").close(""));
  yes.textContent = confirm;
  yes.value = "yes";
  yes.className = danger ? "danger" : "primary";
  row.append(no, yes);
  form.append(row);
}

function shown(dialog, answer) {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise(resolve => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? answer() : null);
    });
  });
}

/** Asks for a text; null when nothing was to be done. `suggestions` are offered while one types. */
export function askFor({title, label, value = "", confirm = "Save", rows = 1, suggestions = [], most = 200}) {
  const {dialog, form} = build(title);
  const name = document.createElement("label"), field = document.createElement(rows > 1 ? "textarea" : "input");
  name.textContent = label;
  field.value = value;
  field.maxLength = most;
  if (rows > 1) field.rows = rows;
  if (suggestions.length) {
    const list = document.createElement("datalist");
    list.id = "suggestions";
    list.append(...suggestions.map(each => new Option(each, each)));
    field.setAttribute("list", list.id);
    form.append(list);
  }
  name.append(field);
  form.append(name);
  buttons(form, confirm, false);
  const result = shown(dialog, () => field.value.trim());
  field.select();
  return result;
}

/** Asks whether to go on. */
export async function confirmed({title, text, confirm}) {
  const {dialog, form} = build(title);
  const line = document.createElement("p");
  line.textContent = text;
  form.append(line);
  buttons(form, confirm, true);
  return (await shown(dialog, () => true)) === true;
}

/** Shows a list of pairs, until it is closed. */
export function tell(title, pairs) {
  const {dialog, form} = build(title);
  const list = document.createElement("dl"), row = document.createElement("div"), ok = document.createElement("button");
  list.className = "pairs";
  for (const [term, meaning] of pairs) {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = term;
    dd.textContent = meaning;
    list.append(dt, dd);
  }
  row.className = "dialog-buttons";
  ok.textContent = "Close";
  row.append(ok);
  form.append(list, row);
  return shown(dialog, () => null);
}
