/** What the publish and the watch page share: their room, and small changes to their look. */

/** The room that the page is for: the last part of its address. */
export const room = decodeURIComponent(location.pathname.split("/").at(-1));

export const query = new URLSearchParams(location.search);

/** The token that the page was opened with, or null: best behind the `#`, which the browser keeps to itself. */
export const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? query.get("token");

/** Whom the token names, or null: a publisher can have no other name. Only the server can tell whether it is good. */
export function tokenSubject() {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).sub ?? null;
  } catch {
    return null;
  }
}

/** The element with that id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Says in the bar on top how things are. `tone` is good, busy, bad or idle. */
export function showStatus(text, tone) {
  const pill = byId("status");
  // A text put again would be read out again.
  if (pill.textContent !== text) pill.textContent = text;
  pill.dataset.tone = tone;
}

export function setIcon(element, name) {
  element.querySelector("use").setAttribute("href", `/assets/icons.svg#${name}`);
}

/** Gives a button another meaning. */
export function relabel(button, label, title = label) {
  button.setAttribute("aria-label", label);
  button.title = title;
}

/** `1:02:03` for so many milliseconds. */
export function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}
