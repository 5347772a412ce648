// Files dropped on a library, or chosen: sent some at a time, each answered by a sentence.

import { fetchPartial } from "partials";
import { libraries } from "progress";

const FILES_AT_A_TIME = 25;
const BYTES_AT_A_TIME = 8_000_000;

class Upload {
  #form;
  #input;
  #results = document.querySelector("[data-results]");
  #dialog = document.querySelector("[data-ask]");

  constructor(form) {
    this.#form = form;
    this.#input = form.querySelector("input[type=file]");
    this.#input.addEventListener("change", () => this.#take([...this.#input.files]));
    form.addEventListener("submit", (event) => this.#choose(event));
    form.addEventListener("dragover", (event) => this.#dragOver(event));
    form.addEventListener("dragleave", () => delete form.dataset.over);
    form.addEventListener("drop", (event) => this.#drop(event));
  }

  #choose(event) {
    event.preventDefault();
    this.#input.click();
  }

  #dragOver(event) {
    event.preventDefault();
    this.#form.dataset.over = "";
  }

  #drop(event) {
    event.preventDefault();
    delete this.#form.dataset.over;
    this.#take([...event.dataTransfer.files]);
  }

  async #take(files) {
    if (!files.length) return;
    this.#form.setAttribute("aria-busy", "true");
    this.#results.replaceChildren();
    try {
      const keep = await this.#askWhatToKeep(files);
      if (keep) for (const lot of lots(files)) await this.#send(lot, keep);
      if (keep) await this.#recount();
    } finally {
      this.#form.removeAttribute("aria-busy");
      this.#form.reset();
    }
  }

  /** "both" or "version"; "" when the user thinks better of it. */
  async #askWhatToKeep(files) {
    const answer = await this.#post(this.#form.dataset.names, files.map((file) => ["name", file.name]));
    if (!answer) return "";
    if (!answer.names.length) return "both";
    const items = answer.names.map((name) => Object.assign(document.createElement("li"), { textContent: name }));
    this.#dialog.querySelector("[data-names-found]").replaceChildren(...items);
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    await new Promise((resolve) => this.#dialog.addEventListener("close", resolve, { once: true }));
    return this.#dialog.returnValue;
  }

  async #send(files, keep) {
    const answer = await this.#post(this.#form.action, [["keep", keep], ...files.map((file) => ["files", file])]);
    const results = answer?.files ?? [];
    for (const { outcome, sentence } of results) {
      if (outcome !== "added") this.#say(sentence, outcome === "refused");
    }
    await this.#show(results.map((result) => result.document).filter(Boolean));
  }

  async #show(documents) {
    const [progress] = libraries.values();
    document.querySelector("[data-empty]").hidden ||= documents.length > 0;
    await Promise.all(documents.map((id) => progress.refresh(id)));
  }

  /** The numbers on this page, as the server counts them now. */
  async #recount() {
    const fresh = await fetchPartial(location.pathname);
    for (const shown of document.querySelectorAll("[data-count]")) {
      const counted = fresh?.querySelector(`[data-count="${shown.dataset.count}"]`);
      if (counted) shown.textContent = counted.textContent;
    }
  }

  async #post(address, fields) {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", this.#form.elements.csrfmiddlewaretoken.value);
    for (const [name, value] of fields) body.append(name, value);
    try {
      const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
      if (response.ok) return await response.json();
      this.#say(`The upload was refused (${response.status}). Reload the page and try again.`, true);
    } catch {
      this.#say("The upload broke off. Check the connection and try again; nothing is added twice.", true);
    }
    return null;
  }

  #say(sentence, isError) {
    const line = Object.assign(document.createElement("p"), { textContent: sentence });
    line.className = isError ? "notice error" : "notice";
    if (isError) line.role = "alert";
    this.#results.append(line);
  }
}

function* lots(files) {
  let lot = [];
  let bytes = 0;
  for (const file of files) {
    if (lot.length === FILES_AT_A_TIME || (lot.length && bytes + file.size > BYTES_AT_A_TIME)) {
      yield lot;
      lot = [];
      bytes = 0;
    }
    lot.push(file);
    bytes += file.size;
  }
  yield lot;
}

new Upload(document.querySelector("[data-drop]"));
