// data-only-if="provider=other": shown while the form's field of that name has that value; "tool" alone: while it has any.
// A field that holds something or has an error is never hidden. Without this script all fields are there, with their help.
function applies(field) {
  const [name, wanted] = field.dataset.onlyIf.split("=");
  const decider = [...field.form.elements].find((other) => other.name === name || other.name.endsWith(`-${name}`));
  return !decider || (wanted === undefined ? decider.value.trim() !== "" : decider.value === wanted);
}

function showAll() {
  for (const field of document.querySelectorAll("[data-only-if]")) {
    const box = field.closest(".field");
    if (box && field.form) box.hidden = !applies(field) && !field.value && !box.matches(".wrong") && !box.contains(document.activeElement);
  }
}

showAll();
document.addEventListener("input", showAll);
document.addEventListener("change", showAll);
window.addEventListener("pageshow", showAll); // the browser may fill in what stood there before
