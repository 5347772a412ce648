// Many files on their way to the server: in lots, a few under way at a time, each tried again while the server is away.

const FILES_AT_A_TIME = 100;
const BYTES_AT_A_TIME = 8_000_000;
const AT_ONCE = 2;
const PAUSES = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000];

/** The server doesn't want it, or can't be reached; the message is a sentence. */
export class NotSent extends Error {}

/** Sends all lots of the items by `post(lot)`, and hands each answer to `took(answer, lot)`. Throws NotSent. */
export async function sendAll(items, post, took) {
  const waiting = lots(items); // Shared: whoever is done takes the next, and when one gives up all do.
  const send = async () => {
    for (const lot of waiting) took(await patiently(() => post(lot)), lot);
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, send));
  const broken = ended.find(({ status }) => status === "rejected");
  if (broken) throw broken.reason;
}

/** The answer to a form, as JSON. Throws NotSent where trying again is no use, another error where it may be. */
export async function postForm(address, fields) {
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  if (response.redirected) throw new NotSent("You are signed out. Sign in and try again; nothing is added twice.");
  if (response.ok) return response.json();
  if (response.status >= 500 || response.status === 429) throw new Error(`${address}: ${response.status}`);
  throw new NotSent(`The upload was refused (${response.status}). Reload the page and try again.`);
}

/** What `attempt` returns, tried again for about a minute while it fails for a reason that may pass. */
export async function patiently(attempt) {
  for (const pause of PAUSES) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof NotSent) throw error;
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
  throw new NotSent("The upload broke off. Check the connection and try again; nothing is added twice.");
}

function* lots(items) {
  let lot = [];
  let bytes = 0;
  for (const item of items) {
    if (lot.length === FILES_AT_A_TIME || (lot.length && bytes + item.file.size > BYTES_AT_A_TIME)) {
      yield lot;
      lot = [];
      bytes = 0;
    }
    lot.push(item);
    bytes += item.file.size;
  }
  if (lot.length) yield lot;
}
