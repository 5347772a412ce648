import { fetchPartialPatiently } from "partials";

const ENDINGS = new Set(["done", "stopped", "failed", "interrupted"]);

/** An answer that is being written: applies its events, and at the end becomes what a reload would show. */
export class Answer {
  have = 0;
  #element;
  #open = null;

  constructor(element) {
    this.#element = element;
  }

  get id() {
    return Number(this.#element.dataset.message);
  }

  /** True when this event ended the answer. */
  apply(event) {
    if (event.n <= this.have) return false;
    this.have = event.n ?? this.have;
    if (ENDINGS.has(event.type)) return true;
    this[event.type]?.(event);
    return false;
  }

  fetchFinal() {
    return fetchPartialPatiently(this.#element.dataset.url);
  }

  settle(partial) {
    const final = partial?.firstElementChild;
    if (!final) return this.#element.remove();
    for (const [at, folded] of final.querySelectorAll(".steps").entries()) {
      folded.open = this.#element.querySelectorAll(".steps")[at].open;
    }
    this.#element.replaceWith(final);
  }

  step({ text, milliseconds }) {
    const steps = this.#element.querySelector(".steps");
    steps.hidden = false;
    steps.querySelector("summary").textContent = `${text}…`;
    const item = document.createElement("li");
    item.append(span(text));
    if (milliseconds) item.append(" ", span(`${milliseconds} ms`));
    steps.querySelector("ol").append(item);
  }

  thought({ text }) {
    const thinking = this.#element.querySelector(".thinking");
    thinking.hidden = false;
    thinking.querySelector("p").append(text);
  }

  notice({ text }) {
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.textContent = text;
    this.#element.querySelector(".notices").append(notice);
  }

  text({ text }) {
    this.#tail.append(text);
  }

  block({ html, rest }) {
    this.#tail.insertAdjacentHTML("beforebegin", html);
    this.#tail.textContent = rest.trimStart();
  }

  get #tail() {
    if (!this.#open) {
      this.#open = document.createElement("p");
      this.#open.className = "open";
      this.#element.querySelector(".prose").append(this.#open);
    }
    return this.#open;
  }
}

function span(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}
