// What takes something away asks first: `<form data-confirm="Remove leave.md?">`, or one of its buttons.

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});
