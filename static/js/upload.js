// Files and folders dropped on a library, or chosen: one progress bar while they are sent, a summary at the end.

import { chosen, dropped, pathOf } from "dropped";
import { fetchPartialPatiently } from "partials";
import { NotSent, patiently, postForm, sendAll } from "sending";

const NAMES_AT_A_TIME = 500;
const NAMES_SHOWN = 20;
const REFUSALS_SHOWN = 300;
const REFUSALS_OPEN = 10;
const OUTCOMES = ["added", "new version", "restored", "unchanged", "refused"];

class Upload {
  #form;
  #sending = document.querySelector("[data-sending]");
  #results = document.querySelector("[data-results]");
  #refusals = document.querySelector("[data-refusals]");
  #dialog = document.querySelector("[data-ask]");

  constructor(form) {
    this.#form = form;
    for (const input of form.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => this.#take(chosen(input.files)));
    }
    form.addEventListener("submit", (event) => this.#choose(event));
    form.addEventListener("dragover", (event) => this.#dragOver(event));
    form.addEventListener("dragleave", () => delete form.dataset.over);
    form.addEventListener("drop", (event) => this.#drop(event));
  }

  #choose(event) {
    event.preventDefault();
    const wanted = event.submitter?.dataset.choose ?? "files";
    this.#form.querySelector(`input[data-chooses="${wanted}"]`).click();
  }

  #dragOver(event) {
    event.preventDefault();
    this.#form.dataset.over = "";
  }

  #drop(event) {
    event.preventDefault();
    delete this.#form.dataset.over;
    this.#take(dropped(event.dataTransfer));
  }

  async #take(promised) {
    if (this.#form.hasAttribute("aria-busy")) return;
    this.#form.setAttribute("aria-busy", "true");
    this.#results.replaceChildren();
    this.#refusals.hidden = true;
    const leaving = (event) => event.preventDefault();
    addEventListener("beforeunload", leaving);
    try {
      const items = await promised;
      const keep = items.length && (await this.#askWhatToKeep(items));
      if (keep) await this.#send(items, keep);
    } catch (error) {
      const isAnswer = error instanceof NotSent;
      this.#say(isAnswer ? error.message : "A file can't be opened. Look whether it is still there.", true);
    } finally {
      removeEventListener("beforeunload", leaving);
      this.#sending.hidden = true;
      this.#form.removeAttribute("aria-busy");
      this.#form.reset();
    }
  }

  /** "both" or "version"; "" when the user thinks better of it. */
  async #askWhatToKeep(items) {
    const found = await this.#existing(items.map((item) => pathOf(item).replaceAll("\n", "")));
    if (!found.length) return "both";
    list(this.#dialog.querySelector("[data-names-found]"), found, NAMES_SHOWN);
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    await new Promise((resolve) => this.#dialog.addEventListener("close", resolve, { once: true }));
    return this.#dialog.returnValue;
  }

  async #existing(paths) {
    const found = [];
    for (let first = 0; first < paths.length; first += NAMES_AT_A_TIME) {
      const some = paths.slice(first, first + NAMES_AT_A_TIME).join("\n");
      const answer = await patiently(() => this.#post(this.#form.dataset.names, [["paths", some]]));
      found.push(...answer.paths);
    }
    return found;
  }

  async #send(items, keep) {
    const counts = new Map();
    const refused = [];
    let sent = 0;
    const took = ({ files }) => {
      sent += files.length;
      for (const { outcome, sentence } of files) {
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (outcome === "refused") refused.push(sentence);
      }
      this.#tell(sent, items.length);
    };
    this.#tell(0, items.length);
    try {
      await sendAll(items, (lot) => this.#sendLot(lot, keep), took);
    } finally {
      this.#sumUp(sent, counts, refused);
      await this.#showFresh();
    }
  }

  /** What became of each file. One that isn't as it was chosen would break off the request for all the others. */
  async #sendLot(lot, keep) {
    const readable = await Promise.all(lot.map(({ file }) => isAsChosen(file)));
    const there = lot.filter((_, index) => readable[index]);
    const fields = there.flatMap(({ file, folder }) => [["folder", folder], ["files", file]]);
    const { files } = there.length ? await this.#post(this.#form.action, [["keep", keep], ...fields]) : { files: [] };
    return { files: [...files, ...lot.filter((_, index) => !readable[index]).map(noLonger)] };
  }

  #post(address, fields) {
    return postForm(address, [["csrfmiddlewaretoken", this.#form.elements.csrfmiddlewaretoken.value], ...fields]);
  }

  #tell(sent, all) {
    this.#sending.hidden = false;
    this.#sending.querySelector("p").textContent = `${number(sent)} of ${number(all)} sent`;
    this.#sending.querySelector("progress").value = sent / all;
  }

  #sumUp(sent, counts, refused) {
    const outcomes = OUTCOMES.filter((outcome) => counts.has(outcome));
    const parts = outcomes.map((outcome) => counted(counts.get(outcome), outcome));
    if (sent) this.#say(`${counted(sent, "file")}: ${parts.join(", ")}.`);
    this.#refusals.hidden = !refused.length;
    this.#refusals.open = refused.length <= REFUSALS_OPEN;
    this.#refusals.querySelector("summary").textContent = `${number(refused.length)} refused`;
    list(this.#refusals.querySelector("ul"), refused, REFUSALS_SHOWN);
  }

  /** The table, its pages and the numbers, as the server has them now. */
  async #showFresh() {
    const fresh = await fetchPartialPatiently(location.href);
    for (const place of ["[data-standing]", "[data-find]", "[data-rows]", "[data-empty]", "[data-pager]"]) {
      const [shown, newer] = [document.querySelector(place), fresh?.querySelector(place)];
      if (shown && newer) shown.replaceWith(newer);
    }
    for (const shown of document.querySelectorAll("[data-count]")) {
      const newer = fresh?.querySelector(`[data-count="${shown.dataset.count}"]`);
      if (newer) shown.textContent = newer.textContent;
    }
  }

  #say(sentence, isError) {
    const line = Object.assign(document.createElement("p"), { textContent: sentence });
    line.className = isError ? "notice error" : "notice";
    if (isError) line.role = "alert";
    this.#results.append(line);
  }
}

/** Whether the browser still gives out the file's content: it was not changed, moved or removed meanwhile. */
async function isAsChosen(file) {
  const reader = file.stream().getReader(); // A slice would be of what is there now.
  try {
    await reader.read();
    return true;
  } catch {
    return false;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function noLonger({ file }) {
  return { outcome: "refused", sentence: `${file.name} was changed or removed since it was chosen. Choose it again.` };
}

/** Fills a list with the first of these, and the number of the others. */
function list(element, sentences, most) {
  const lines = sentences.slice(0, most);
  if (sentences.length > most) lines.push(`and ${number(sentences.length - most)} more`);
  element.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
}

function number(count) {
  return count.toLocaleString("en");
}

function counted(count, what) {
  const plural = count !== 1 && (what === "file" || what === "new version");
  return `${number(count)} ${what}${plural ? "s" : ""}`;
}

new Upload(document.querySelector("[data-drop]"));
