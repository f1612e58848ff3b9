// A long list of boxes: ticking a domain ticks its mailboxes with it, and how many are ticked is said below.

for (const list of document.querySelectorAll("[data-ticks]")) {
  const boxes = [...list.querySelectorAll("input")];
  const said = list.closest(".field").querySelector("[data-ticked]");
  const isDomain = (box) => !box.value.includes("@");

  function count() {
    said.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} are ticked.`;
  }

  list.addEventListener("change", (event) => {
    if (isDomain(event.target)) {
      for (const box of boxes.slice(boxes.indexOf(event.target) + 1)) {
        if (isDomain(box)) break;
        box.checked = event.target.checked;
      }
    }
    count();
  });
  count();
}
