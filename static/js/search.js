// What is found, while one types. The address always names the search, so that it can be shared, and gone back to.

import { fetchPartial } from "partials";

const PAUSE = 150;
const ANNOUNCED = 1_000;

class Search {
  #form = document.querySelector(".search-form");
  #field = this.#form.elements.q;
  #found = document.querySelector("[data-found]");
  #announced = document.querySelector("[data-announced]");
  #shown = this.#field.value.trim();
  #asked = new AbortController();
  #pause;
  #announcing;

  constructor() {
    // A browser may have put back what was typed before the page was left.
    this.#field.value = new URLSearchParams(location.search).get("q") ?? "";
    if (document.activeElement === this.#field) this.#field.setSelectionRange(-1, -1);
    this.#field.addEventListener("input", (event) => event.isComposing || this.#later());
    this.#field.addEventListener("compositionend", () => this.#later());
    this.#form.addEventListener("submit", (event) => this.#submitted(event));
    this.#found.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("popstate", () => this.#back());
  }

  #later() {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#typed(), PAUSE);
  }

  #typed() {
    const words = this.#field.value.trim();
    if (words === this.#shown) return;
    history.replaceState(null, "", this.#address(this.#form.action, words));
    this.#show(words);
  }

  #submitted(event) {
    event.preventDefault();
    clearTimeout(this.#pause);
    const words = this.#field.value.trim();
    if (this.#address(this.#form.action, words) !== location.href) {
      history.pushState(null, "", this.#address(this.#form.action, words));
    }
    this.#show(words);
  }

  /** A facet, an example or more documents: the same page, without loading it anew. */
  #clicked(event) {
    const link = event.target.closest("a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const { origin, pathname, searchParams } = new URL(link.href);
    if (origin + pathname !== this.#form.action) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    this.#field.value = searchParams.get("q") ?? "";
    this.#show(this.#field.value.trim(), searchParams.get("n"));
    if (!searchParams.has("n")) this.#field.focus();
  }

  #back() {
    const asked = new URLSearchParams(location.search);
    this.#field.value = asked.get("q") ?? "";
    this.#show(this.#field.value.trim(), asked.get("n"));
  }

  /** What is asked later ends what was asked before, so that an old reply never takes a new one's place. */
  async #show(words, documents) {
    this.#shown = words;
    this.#asked.abort();
    const { signal } = (this.#asked = new AbortController());
    this.#found.setAttribute("aria-busy", "true");
    try {
      const fresh = await fetchPartial(this.#address(this.#form.dataset.results, words, documents), signal);
      this.#found.replaceChildren(fresh);
      this.#announce();
    } catch (error) {
      if (signal.aborted) return;
      this.#say("The search could not be reached. It is tried again when you go on typing.");
      this.#shown = null;
    }
    this.#found.removeAttribute("aria-busy");
    document.title = `${words ? `${words} · ` : ""}Search · Footnote`;
  }

  #say(sentence) {
    const notice = document.createElement("p");
    notice.className = "notice error";
    notice.setAttribute("role", "alert");
    notice.textContent = sentence;
    this.#found.replaceChildren(notice);
  }

  /** Once nothing more is typed, and without the milliseconds, which nobody wants to hear. */
  #announce() {
    clearTimeout(this.#announcing);
    const summary = this.#found.querySelector("[data-summary]")?.firstChild.textContent ?? "";
    this.#announcing = setTimeout(() => (this.#announced.textContent = summary), ANNOUNCED);
  }

  #address(page, words, documents) {
    const address = new URL(page, location);
    if (words) address.searchParams.set("q", words);
    if (documents) address.searchParams.set("n", documents);
    return address.href;
  }
}

new Search();
