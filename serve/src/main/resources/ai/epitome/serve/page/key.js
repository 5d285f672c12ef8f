// Requests with the reader's API key, where the server asks for one. It is kept until the tab is closed.
const KEPT = "epitome-key";

/** fetch(), with the key. On status 401 the page asks for one. */
export async function ask(path, options = {}) {
  const key = sessionStorage.getItem(KEPT);
  const headers = {...options.headers, ...(key && {Authorization: `Bearer ${key}`})};
  const response = await fetch(path, {...options, headers});
  if (response.status === 401) {
    document.getElementById("key-form").hidden = false;
    document.body.classList.add("locked");
  }
  return response;
}

export function startKey() {
  document.getElementById("key-form").addEventListener("submit", event => {
    event.preventDefault();
    sessionStorage.setItem(KEPT, document.getElementById("key").value.trim());
    location.reload();
  });
}
