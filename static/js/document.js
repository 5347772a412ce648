// A document's page, brought up to date as its document gets on.

import { fetchPartialPatiently } from "partials";
import "progress";
import { Strip } from "strip";

const EVERY = 10_000;
const TOKEN = "[name=csrfmiddlewaretoken]";

class DocumentPage {
  #status = document.querySelector(".status[data-document]")?.dataset.status;
  #asked = Date.now();

  constructor() {
    document.addEventListener("progressed", (event) => this.#progressed(event.target.dataset.status));
    startStrip();
  }

  /** Asks when the document has come to its next state, and now and then before that. */
  #progressed(status) {
    if (status === this.#status && Date.now() < this.#asked + EVERY) return;
    this.#status = status;
    this.#refresh();
  }

  async #refresh() {
    const asked = (this.#asked = Date.now());
    const fresh = await fetchPartialPatiently(location.href);
    if (fresh && asked === this.#asked) show(fresh);
  }
}

/** Only the parts that nobody types in; a strip that is there keeps itself up to date. */
function show(fresh) {
  document.title = fresh.querySelector("title").textContent;
  for (const input of fresh.querySelectorAll(TOKEN)) input.value = document.querySelector(TOKEN).value;
  for (const shown of document.querySelectorAll("[data-part]")) {
    const part = fresh.querySelector(`[data-part="${shown.dataset.part}"]`);
    if (!shown.querySelector(".strip")) replace(shown, part);
    else if (!part.querySelector(".strip")) shown.replaceChildren();
  }
  startStrip();
}

/** Where there is something new; what was unfolded stays so, with the focus on it. */
function replace(shown, fresh) {
  let focused = null;
  for (const details of shown.querySelectorAll("details")) {
    const same = [...fresh.querySelectorAll("details")].find((each) => headOf(each) === headOf(details));
    if (!same) continue;
    same.open = details.open;
    if (details.contains(document.activeElement)) focused = same.querySelector("summary");
  }
  if (shown.isEqualNode(fresh)) return;
  shown.replaceWith(fresh);
  focused?.focus({ preventScroll: true });
}

function headOf(details) {
  return details.querySelector("summary").textContent;
}

function startStrip() {
  const strip = document.querySelector(".strip:not([data-started])");
  if (strip) new Strip(strip);
}

new DocumentPage();
