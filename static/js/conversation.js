import { Answer } from "answer";
import { Composer } from "composer";
import { Connection } from "connection";
import { fetchPartialPatiently } from "partials";
import { ReadingPlace } from "reading_place";

/** The messages of one conversation, kept up with by a socket, and the composer under them. */
export class Conversation {
  #element;
  #connection;
  #composer;
  #place = new ReadingPlace();
  #live = new Map();
  #adding = Promise.resolve();

  constructor(element) {
    this.#element = element;
    this.#connection = new Connection("/ws/chat/", (message) => this.#receive(message));
    this.#composer = new Composer(element.querySelector(".composer"), {
      ask: (question) => this.#ask(question),
      stop: () => this.#stop(),
    });
    this.#messages.addEventListener("click", (event) => this.#clicked(event));
    if (!this.#id) return;
    this.#connection.subscribe("watch", () => ({ type: "watch", conversation: this.#id, have: this.#last }));
    for (const answer of this.#messages.querySelectorAll("[data-status=streaming]")) this.#follow(answer);
    if (!location.hash) this.#place.toEnd();
  }

  #ask(question) {
    this.#composer.busy = true;
    this.#connection.send({ type: "ask", ...question });
  }

  #stop() {
    for (const message of this.#live.keys()) this.#connection.send({ type: "stop", message });
  }

  #receive(message) {
    if (message.type === "refused") this.#refused(message.text);
    else if (message.type === "asked") this.#asked(message);
    else if (message.conversation) for (const event of message.events) this.#add(event);
    else this.#place.keep(() => this.#apply(message));
  }

  #refused(sentence) {
    this.#composer.busy = this.#live.size > 0;
    this.#composer.refuse(sentence);
  }

  #asked(message) {
    this.#composer.accepted();
    if (this.#id) this.#add(message);
    else location.assign(`/c/${message.conversation}/`);
  }

  #apply({ message, events }) {
    const answer = this.#live.get(message);
    if (!answer) return;
    for (const event of events) if (answer.apply(event)) return this.#end(answer);
  }

  async #end(answer) {
    this.#live.delete(answer.id);
    this.#connection.unsubscribe(answer.id);
    this.#composer.busy = this.#live.size > 0;
    const partial = await answer.fetchFinal();
    this.#place.keep(() => answer.settle(partial));
  }

  /** One after the other, so that messages stand in their order. */
  #add({ question, answer }) {
    this.#adding = this.#adding.then(async () => {
      if (this.#find(answer)) return;
      const partials = await Promise.all([question, answer].map((id) => fetchPartialPatiently(this.#url(id))));
      this.#place.keep(() => this.#messages.append(...partials.filter(Boolean)));
      this.#place.toEnd();
      const element = this.#find(answer);
      if (element?.dataset.status === "streaming") this.#follow(element);
      else this.#composer.busy = this.#live.size > 0; // It ended before it was here.
    });
  }

  #follow(element) {
    const answer = new Answer(element);
    this.#live.set(answer.id, answer);
    this.#composer.busy = true;
    this.#connection.subscribe(answer.id, () => ({ type: "follow", message: answer.id, have: answer.have }));
  }

  #clicked({ target }) {
    const action = target.closest("[data-do]")?.dataset.do;
    const article = target.closest(".answer");
    if (action === "copy") navigator.clipboard.writeText(article.querySelector(".prose").innerText);
    if (action === "deeper") this.#composer.deeper(Number(article.dataset.message), target.dataset.strategy);
    if (action === "again") this.#composer.submit(article.previousElementSibling.innerText);
  }

  #url(message) {
    return `/c/${this.#id}/messages/${message}/`;
  }

  #find(message) {
    return document.getElementById(`message-${message}`);
  }

  get #id() {
    return this.#element.dataset.conversation;
  }

  get #last() {
    return Number(this.#messages.lastElementChild?.dataset.message ?? 0);
  }

  get #messages() {
    return this.#element.querySelector(".messages");
  }
}
