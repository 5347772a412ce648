// How far documents are, live: elements with data-document, in or on one with data-library.

import { fetchPartial } from "partials";

const UNFINISHED = ["queued", "reading", "embedding", "recognising"];
const UNKNOWN = 4404;
const ASK_AGAIN = 10_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

export class LibraryProgress {
  #library;
  #pause = FIRST_PAUSE;

  constructor(library) {
    this.#library = library;
    this.#connect();
    setInterval(() => this.refreshUnfinished(), ASK_AGAIN);
  }

  /** Fetches how the document is now, and shows that in its place, or on top of the rows where it is new. */
  async refresh(id) {
    const fresh = (await fetchPartial(`/documents/${id}/row`))?.firstElementChild;
    const shown = find(id);
    if (!fresh) shown?.remove();
    else if (!shown) document.querySelector("[data-rows]")?.prepend(fresh);
    else if (shown.matches("tr")) shown.replaceWith(fresh);
    else copyStatus(statusOf(fresh), statusOf(shown));
  }

  /** Messages can be missed, and some things nobody tells, such as that no worker is running. */
  refreshUnfinished() {
    for (const element of document.querySelectorAll("[data-document]")) {
      const ours = element.closest("[data-library]").dataset.library === this.#library;
      if (ours && UNFINISHED.includes(statusOf(element).dataset.status)) this.refresh(element.dataset.document);
    }
  }

  #connect() {
    const socket = new WebSocket(`/ws/libraries/${this.#library}/`);
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#show(JSON.parse(event.data)));
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

  #show({ document: id, status, text, share }) {
    const element = find(id);
    if (!element || !UNFINISHED.includes(status)) this.refresh(id);
    else setStatus(statusOf(element), status, text, share);
  }
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
}

function copyStatus(from, to) {
  to.dataset.status = from.dataset.status;
  to.replaceChildren(...from.childNodes);
}

const ids = [...document.querySelectorAll("[data-library]")].map((element) => element.dataset.library);
export const libraries = new Map([...new Set(ids)].map((id) => [id, new LibraryProgress(id)]));
