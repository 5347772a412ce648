// The box in a table's head ticks all of its rows.

document.addEventListener("change", ({ target }) => {
  const boxes = [...target.closest("table")?.querySelectorAll("tbody .tick input") ?? []];
  const all = target.closest("table")?.querySelector("[data-all]");
  if (!all) return;
  if (target === all) for (const box of boxes) box.checked = all.checked;
  const ticked = boxes.filter((box) => box.checked).length;
  all.checked = ticked > 0 && ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
});
