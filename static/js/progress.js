// How far documents are, live: elements with data-document, in or on one with data-library.

import { fetchPartial } from "partials";

const UNFINISHED = ["queued", "reading", "embedding", "recognising"];
const UNKNOWN = 4404;
const EVERY = 1000;
const ASK_AGAIN = 10_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const ROWS_AT_A_TIME = 100;

export class LibraryProgress {
  #library;
  #pause = FIRST_PAUSE;
  #stale = new Set();
  #timer = null;
  #fetched = 0;

  constructor(library) {
    this.#library = library;
    this.#connect();
    setInterval(() => this.refreshUnfinished(), ASK_AGAIN);
  }

  /** Fetches how the library and these documents are now, once a second at most, however often it is asked for. */
  refresh(...ids) {
    for (const id of ids) this.#stale.add(String(id));
    const wait = Math.max(0, this.#fetched + EVERY - Date.now());
    this.#timer ??= setTimeout(() => this.#fetch(), wait);
  }

  /** Messages can be missed, and some things nobody tells, such as that no worker is running. */
  refreshUnfinished() {
    const unfinished = [...document.querySelectorAll("[data-document]")].filter(
      (element) =>
        element.closest("[data-library]").dataset.library === this.#library &&
        UNFINISHED.includes(statusOf(element).dataset.status),
    );
    if (unfinished.length || document.querySelector("[data-standing] progress")) {
      this.refresh(...unfinished.map((element) => element.dataset.document));
    }
  }

  async #fetch() {
    const ids = [...this.#stale].slice(0, ROWS_AT_A_TIME);
    for (const id of ids) this.#stale.delete(id);
    try {
      const query = new URLSearchParams(ids.map((id) => ["document", id]));
      const fresh = await fetchPartial(`/libraries/${this.#library}/progress?${query}`);
      document.querySelector("[data-standing]")?.replaceWith(fresh?.querySelector("[data-standing]") ?? "");
      for (const id of ids) show(id, fresh?.querySelector(`[data-document="${id}"]`));
    } finally {
      this.#fetched = Date.now();
      this.#timer = null;
      if (this.#stale.size) this.refresh();
    }
  }

  #connect() {
    const socket = new WebSocket(`/ws/libraries/${this.#library}/`);
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#hear(JSON.parse(event.data).documents));
    socket.addEventListener("close", (event) => this.#closed(event.code));
  }

  #opened() {
    this.#pause = FIRST_PAUSE;
    this.refreshUnfinished();
  }

  #closed(code) {
    if (code === UNKNOWN) return;
    setTimeout(() => this.#connect(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #hear(documents) {
    const unknown = [];
    for (const { document: id, status, text, share } of documents) {
      const element = find(id);
      if (!element) unknown.push(id);
      else if (UNFINISHED.includes(status)) setStatus(statusOf(element), status, text, share);
      else this.#stale.add(String(id));
    }
    this.refresh(...unknown.slice(0, room()));
  }
}

/** How many rows of new documents the table still takes; the others are on its further pages. */
function room() {
  const rows = document.querySelector("[data-newest]");
  return rows ? Math.max(0, rows.dataset.newest - rows.childElementCount) : 0;
}

/** Shows a fresh row in the place of the document's, or on top of the others where it is new. */
function show(id, fresh) {
  const shown = find(id);
  if (!fresh) shown?.remove();
  else if (!shown) insert(fresh);
  else if (shown.matches("tr")) replace(shown, fresh);
  else copyStatus(statusOf(fresh), statusOf(shown));
}

function insert(row) {
  if (!room()) return;
  document.querySelector("[data-newest]").prepend(row);
  document.querySelector("[data-empty]").hidden = true;
}

function replace(shown, fresh) {
  if (shown.contains(document.activeElement) && document.activeElement.matches("input.field")) return; // A password.
  const tick = fresh.querySelector(".tick input");
  if (tick) tick.checked = shown.querySelector(".tick input")?.checked;
  shown.replaceWith(fresh);
}

function find(id) {
  return document.querySelector(`[data-document="${id}"]`);
}

function statusOf(element) {
  return element.matches(".status") ? element : element.querySelector(".status");
}

function setStatus(element, status, text, share) {
  const bar = element.querySelector("progress");
  element.dataset.status = status;
  element.querySelector("span").textContent = text;
  bar.hidden = share === null;
  if (share !== null) bar.value = share;
  tell(element);
}

function copyStatus(from, to) {
  to.dataset.status = from.dataset.status;
  to.replaceChildren(...from.childNodes);
  tell(to);
}

function tell(element) {
  element.dispatchEvent(new Event("progressed", { bubbles: true }));
}

const ids = [...document.querySelectorAll("[data-library]")].map((element) => element.dataset.library);
export const libraries = new Map([...new Set(ids)].map((id) => [id, new LibraryProgress(id)]));
