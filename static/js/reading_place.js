const NEAR = 80;

/** Keeps the end of the page in view, if the reader was there. */
export class ReadingPlace {
  #root = document.documentElement;

  keep(change) {
    const stay = this.#atEnd;
    change();
    if (stay) this.toEnd();
  }

  toEnd() {
    this.#root.scrollTop = this.#root.scrollHeight;
  }

  get #atEnd() {
    return this.#root.scrollHeight - this.#root.scrollTop - this.#root.clientHeight < NEAR;
  }
}
