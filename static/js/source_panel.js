import { fetchPartial } from "partials";

const GONE = "This source was removed, or you may not read it.";
const AWAY = "This source can’t be had at the moment. Try again in a while.";

const KEYS = { ArrowLeft: "prev", k: "prev", ArrowRight: "next", j: "next" };

/** The source beside the conversation: opened by a footnote's number, leafed through by keys, closed by Escape. */
export class SourcePanel {
  #element;
  #opener = null;
  #wanted = null;

  constructor(element) {
    this.#element = element;
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#element.hidden) this.#close();
    });
    this.#element.addEventListener("keydown", (event) => this.#pressed(event));
    addEventListener("hashchange", () => this.#openLinked());
    this.#openLinked();
  }

  #clicked(event) {
    const note = event.target.closest("[data-n]");
    const action = event.target.closest("[data-do]")?.dataset.do;
    if (note) this.#followed(event, note);
    else if (action === "close") this.#close();
    else if (action === "copy-link") this.#copyLink(event);
    else if (action === "trace") this.#traced(event);
  }

  /** Leaves alone what somebody types in, and what scrolls sideways. */
  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], table, pre")) return;
    const link = this.#element.querySelector(`.source-foot [rel="${KEYS[event.key]}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  }

  #followed(event, note) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const answer = note.closest(".answer") ?? this.#answer;
    if (!this.#element.contains(note)) this.#opener = note;
    this.#open(answer, note.dataset.n);
  }

  #traced(event) {
    event.preventDefault();
    this.#opener = event.target;
    this.#openTrace(event.target.closest(".answer"));
  }

  /** How an answer came about, in the place of a source. */
  async #openTrace(answer) {
    this.#mark(null);
    this.#element.dataset.message = answer.dataset.message;
    history.replaceState(null, "", `#trace-${answer.dataset.message}`);
    await this.#show(fetchSource(`${answer.dataset.url}trace/`, ""));
  }

  /** What is asked for, once it is here; nothing where something else is wanted by then. */
  async #show(fetched) {
    this.#wanted = fetched;
    const panel = await fetched;
    if (this.#wanted !== fetched) return;
    this.#element.replaceChildren(panel);
    this.#element.hidden = false;
    this.#element.querySelector("h2")?.focus({ preventScroll: true });
  }

  /** `#note-57-2` is footnote 2 of message 57; `#note-2`, of the last answer that has it. */
  #openLinked() {
    const traced = document.getElementById(location.hash.replace(/^#trace-(\d+)$/, "message-$1"));
    if (location.hash.startsWith("#trace-") && traced) this.#openTrace(traced);
    const [, message, number] = location.hash.match(/^#note-(?:(\d+)-)?(\d+)$/) ?? [];
    if (!number) return;
    const answer = message
      ? document.getElementById(`message-${message}`)
      : [...document.querySelectorAll(".answer")].findLast((each) => each.querySelector(`[data-n="${number}"]`));
    if (answer) this.#open(answer, number);
  }

  async #open(answer, number) {
    this.#mark(answer, number);
    history.replaceState(null, "", `#note-${answer.dataset.message}-${number}`);
    await this.#show(fetchSource(`${answer.dataset.url}sources/${number}/`, number));
    this.#element.querySelector("mark, rect")?.scrollIntoView({ block: "center" });
  }

  #close() {
    this.#wanted = null;
    this.#element.hidden = true;
    this.#mark(null);
    history.replaceState(null, "", location.pathname);
    this.#opener?.focus({ preventScroll: true });
  }

  #mark(answer, number) {
    for (const old of document.querySelectorAll('.cite[aria-current="true"]')) old.removeAttribute("aria-current");
    if (!answer) return;
    this.#element.dataset.message = answer.dataset.message;
    for (const chip of answer.querySelectorAll(`.cite[data-n="${number}"]`)) chip.setAttribute("aria-current", "true");
  }

  async #copyLink(event) {
    event.preventDefault();
    await navigator.clipboard.writeText(event.target.href);
    event.target.textContent = "Link copied";
  }

  get #answer() {
    return document.getElementById(`message-${this.#element.dataset.message}`);
  }
}

async function fetchSource(url, number) {
  try {
    return (await fetchPartial(url)) ?? noSource(number, GONE);
  } catch {
    return noSource(number, AWAY);
  }
}

function noSource(number, sentence) {
  const panel = document.querySelector("[data-no-source]").content.cloneNode(true);
  panel.querySelector(".quiet span").textContent = number;
  panel.querySelector(".notice").textContent = sentence;
  return panel;
}
