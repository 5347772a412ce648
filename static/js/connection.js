const SIGNED_OUT = 4401;
const LONGEST_WAIT = 10_000;

/** A socket that comes back by itself, and then says again what it subscribed to. */
export class Connection {
  #url;
  #receive;
  #socket = null;
  #attempts = 0;
  #unsent = [];
  #subscriptions = new Map();

  constructor(path, receive) {
    this.#url = new URL(path, location.href.replace(/^http/, "ws"));
    this.#receive = receive;
    this.#open();
  }

  send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
    else this.#unsent.push(message);
  }

  /** `message()` is sent now and after each reconnection, until `unsubscribe(name)`. */
  subscribe(name, message) {
    this.#subscriptions.set(name, message);
    if (this.#socket.readyState === WebSocket.OPEN) this.send(message());
  }

  unsubscribe(name) {
    this.#subscriptions.delete(name);
  }

  #open() {
    this.#socket = new WebSocket(this.#url);
    this.#socket.addEventListener("open", () => this.#opened());
    this.#socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
    this.#socket.addEventListener("close", ({ code }) => this.#closed(code));
  }

  #opened() {
    this.#attempts = 0;
    for (const message of this.#subscriptions.values()) this.send(message());
    for (const message of this.#unsent.splice(0)) this.send(message);
  }

  #closed(code) {
    if (code === SIGNED_OUT) return location.reload();
    const wait = Math.min(250 * 2 ** this.#attempts++, LONGEST_WAIT) * (0.5 + Math.random());
    setTimeout(() => this.#open(), wait);
  }
}
