// Sources that are being fetched, or wait for it: their rows are asked for until that is done.

import { fetchPartialPatiently } from "partials";

const ASK_AGAIN = 2_000;

async function refresh(row) {
  const fresh = (await fetchPartialPatiently(`/sources/${row.dataset.source}/row`))?.querySelector("tr");
  if (row.querySelector("details[open], :focus")) return; // Somebody is about to do something there.
  if (fresh) row.replaceWith(fresh);
  else row.remove();
}

async function refreshBusy() {
  await Promise.all([...document.querySelectorAll("[data-source][data-busy]")].map(refresh));
  setTimeout(refreshBusy, ASK_AGAIN);
}

refreshBusy();
