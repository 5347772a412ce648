// The key / goes to the search, from wherever one isn't typing.

addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector("[data-search]");
  const page = document.querySelector("[data-search-page]");
  if (!field && !page) return;
  event.preventDefault();
  if (field) field.select();
  else location.assign(page.href);
});
