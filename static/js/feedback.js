// What a reader thinks of an answer, kept without leaving the page.

import { fetchPartial } from "partials";

const GONE = "This answer is not there any more.";
const AWAY = "This can’t be kept at the moment. Try again in a while.";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest(".feedback");
  if (!form) return;
  event.preventDefault();
  try {
    const wrong = await send(form, event.submitter);
    if (wrong) tell(form, wrong);
    else await refresh(form, event.submitter);
  } catch {
    tell(form, AWAY);
  }
});

/** What is wrong with it; nothing where it was kept. */
async function send(form, submitter) {
  const body = new FormData(form, submitter);
  const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  if (response.redirected) location.reload(); // Signed out meanwhile.
  if (response.ok) return "";
  if (response.status === 404) return GONE;
  return response.status === 400 ? response.text() : AWAY;
}

async function refresh(form, submitter) {
  const place = [...form.querySelectorAll("button")].indexOf(submitter);
  const fresh = (await fetchPartial(form.closest(".answer").dataset.url))?.querySelector(".feedback");
  if (!fresh) return tell(form, GONE);
  form.replaceWith(fresh);
  fresh.querySelectorAll("button")[place].focus();
}

function tell(form, sentence) {
  const notice = form.querySelector(".notice");
  notice.textContent = sentence;
  notice.hidden = false;
}
