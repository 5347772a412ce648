// A form that takes something away asks first: `<form data-confirm="Remove leave.md?">`.

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});
