/** Where a question is written; its draft survives a reload. */
export class Composer {
  #form;
  #ask;
  #stop;

  constructor(form, { ask, stop }) {
    this.#form = form;
    this.#ask = ask;
    this.#stop = stop;
    this.#text.value ||= sessionStorage.getItem(this.#draft) ?? "";
    this.#text.addEventListener("input", () => sessionStorage.setItem(this.#draft, this.#text.value));
    this.#text.addEventListener("keydown", (event) => this.#pressed(event));
    form.addEventListener("submit", (event) => this.#submitted(event));
    form.addEventListener("change", () => this.#label());
    this.#stopButton.addEventListener("click", () => this.#stop());
    document.addEventListener("click", ({ target }) => this.#closePicks(target));
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.#closePicks(null));
    this.#askButton.disabled = false;
    this.#label();
  }

  /** While an answer is written there is Stop in place of Ask. */
  set busy(busy) {
    this.#form.toggleAttribute("aria-busy", busy);
    this.#askButton.hidden = busy;
    this.#stopButton.hidden = !busy;
  }

  refuse(sentence) {
    this.#notice.textContent = sentence;
    this.#notice.hidden = false;
    this.#text.focus();
  }

  accepted() {
    this.#text.value = "";
    sessionStorage.removeItem(this.#draft);
    this.#notice.hidden = true;
  }

  submit(text) {
    this.#ask({ ...this.#chosen, text });
  }

  /** Ask again what an answer was asked, by a strategy that may find more. */
  deeper(answer, strategy) {
    if (!this.#form.hasAttribute("aria-busy")) this.#ask({ ...this.#chosen, deeper: answer, strategy });
  }

  get #chosen() {
    const fields = new FormData(this.#form);
    return {
      strategy: fields.get("strategy"),
      libraries: fields.getAll("library").map(Number),
      model: fields.get("model") ?? "",
      conversation: this.#form.dataset.conversation || null,
    };
  }

  #submitted(event) {
    event.preventDefault();
    const busy = this.#form.hasAttribute("aria-busy");
    if (!busy && this.#text.value.trim()) this.submit(this.#text.value);
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #label() {
    for (const pick of this.#form.querySelectorAll(".pick")) {
      const chosen = [...pick.querySelectorAll("input:checked")].map((input) => input.parentElement.textContent.trim());
      pick.querySelector("summary").textContent = chosen.join(", ") || pick.dataset.all;
    }
    this.#form.querySelector(".destination").textContent = this.#where;
  }

  /** Where the text of the question, and of what is found for it, will go. */
  get #where() {
    const all = [...this.#form.querySelectorAll("[name=library]")];
    const chosen = all.filter(({ checked }) => checked);
    const libraries = chosen.length ? chosen : all;
    const stays = "stays" in this.#form.dataset || libraries.some(({ dataset }) => "stays" in dataset);
    const models = [...this.#form.querySelectorAll("[name=model][data-where]")];
    const allowed = models.filter(({ dataset }) => !stays || "own" in dataset);
    const named = new Set(libraries.map(({ dataset }) => dataset.model).filter(Boolean));
    const wanted = models.find(({ checked }) => checked)?.value ?? (named.size === 1 ? [...named][0] : "");
    const asked = allowed.find(({ value }) => value === wanted) ?? allowed[0];
    const hosts = new Set(asked ? [asked.dataset.where] : []);
    if (this.#form.dataset.embeds && !stays) hosts.add(`${this.#form.dataset.embeds} (external)`);
    const only = stays ? ", own endpoints only" : "";
    return hosts.size ? `Text goes to ${[...hosts].join(" and ")}${only}` : "No text leaves this server: answers are quotations";
  }

  #closePicks(target) {
    for (const pick of document.querySelectorAll(".pick[open]")) {
      if (pick.contains(target)) continue;
      if (pick.contains(document.activeElement)) pick.querySelector("summary").focus();
      pick.open = false;
    }
  }

  get #draft() {
    return `draft:${this.#form.dataset.conversation}`;
  }

  get #text() {
    return this.#form.elements.text;
  }

  get #notice() {
    return this.#form.querySelector(".notice");
  }

  get #askButton() {
    return this.#form.querySelector("[type=submit]");
  }

  get #stopButton() {
    return this.#form.querySelector("[data-do=stop]");
  }
}
