/** The server's own HTML for a thing, as a fragment; null where it isn't there (any more). */
export async function fetchPartial(url, signal) {
  const response = await fetch(url, { headers: { Accept: "text/html" }, signal });
  if (response.redirected) location.reload(); // Signed out meanwhile.
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  return template.content;
}

/** The same, tried again while the server is away. */
export async function fetchPartialPatiently(url) {
  for (let wait = 500; ; wait = Math.min(wait * 2, 10_000)) {
    try {
      return await fetchPartial(url);
    } catch {
      await new Promise((resume) => setTimeout(resume, wait));
    }
  }
}
