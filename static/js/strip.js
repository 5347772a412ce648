// How each page of a document was read, live while text is recognised.

import { fetchPartial } from "partials";

const EVERY = 1000;

export class Strip {
  #strip;
  #onScreen = false;
  #stale = false;
  #behind = false;
  #timer = null;
  #fetched = 0;

  constructor(strip) {
    this.#strip = strip;
    strip.dataset.started = "";
    new IntersectionObserver((entries) => {
      this.#onScreen = entries.at(-1).isIntersecting;
      this.#refresh();
    }).observe(strip);
    document.addEventListener("visibilitychange", () => this.#refresh());
    document.addEventListener("progressed", () => this.#progressed());
    strip.addEventListener("toggle", () => this.#toggled());
    this.#scroll();
  }

  #progressed() {
    this.#stale = true;
    this.#refresh();
  }

  #toggled() {
    if (this.#behind) this.#progressed();
    this.#scroll();
  }

  /** To the page that is shown, in the middle of the strip. */
  #scroll() {
    const list = this.#strip.querySelector("ol");
    const current = list.querySelector("[aria-current]");
    if (current) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 2;
  }

  /** Once a second at most, and only for eyes that see it. */
  #refresh() {
    if (!this.#stale || !this.#onScreen || document.hidden) return;
    this.#timer ??= setTimeout(() => this.#fetch(), Math.max(0, this.#fetched + EVERY - Date.now()));
  }

  async #fetch() {
    this.#stale = false;
    this.#behind = !this.#strip.open;
    const query = new URLSearchParams(location.search);
    if (this.#behind) query.set("folded", "1");
    try {
      const fresh = await fetchPartial(`/documents/${this.#strip.dataset.documentPages}/strip?${query}`);
      if (fresh) this.#show(fresh);
    } finally {
      this.#fetched = Date.now();
      this.#timer = null;
      this.#refresh();
    }
  }

  /** Changes what has changed: the place scrolled to and the focus stay. */
  #show(fresh) {
    this.#strip.querySelector("summary").replaceChildren(...fresh.querySelector("summary").childNodes);
    const cells = this.#strip.querySelectorAll("a");
    for (const [index, cell] of fresh.querySelectorAll("a").entries()) {
      if (index >= cells.length) this.#strip.querySelector("ol").append(cell.parentElement);
      else if (!cell.isEqualNode(cells[index])) change(cells[index], cell);
    }
  }
}

function change(shown, fresh) {
  for (const { name, value } of fresh.attributes) shown.setAttribute(name, value);
  if (shown.ariaCurrent) showPage();
}

/** Shows the page that was read just now. */
async function showPage() {
  const sheet = document.querySelector(".sheet");
  const fresh = await fetchPartial(sheet.dataset.page);
  if (fresh) sheet.replaceChildren(fresh);
}
