// Names for the fields that Django's widgets leave without one: date and time, rows of a table, select2, hints.
function name(field, words) {
  const text = words.filter(Boolean).map((part) => part.trim().replace(/\s+/g, " ")).join(", ");
  if (text && !field.labels?.length && !field.ariaLabel) field.ariaLabel = text;
}

function heading(cell) {
  return cell.closest("table").tHead?.rows[0].cells[cell.cellIndex]?.textContent;
}

function nameAll() {
  for (const pair of document.querySelectorAll("p.datetime")) {
    const label = pair.closest("fieldset")?.querySelector("legend")?.firstChild.textContent;
    const [date, time] = pair.querySelectorAll("input");
    name(date, [label, "date"]);
    if (time) name(time, [label, "time"]);
  }
  for (const field of document.querySelectorAll(".tabular td :is(input, select, textarea), #result_list td :is(input, select, textarea)")) {
    if (field.type === "hidden" || field.classList.contains("action-select")) continue;
    const row = field.closest("tr");
    const which = row.querySelector("th")?.textContent ?? `row ${[...row.parentNode.children].indexOf(row) + 1}`;
    name(field, [heading(field.closest("td")), which]);
  }
  for (const box of document.querySelectorAll(".select2-selection")) {
    const label = box.closest(".select2")?.previousElementSibling?.labels?.[0];
    const shown = box.querySelector(".select2-selection__rendered");
    if (!label || !shown) continue;
    label.id ||= `${label.htmlFor}_label`;
    box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
    shown.setAttribute("aria-labelledby", label.id);
  }
  for (const hint of document.querySelectorAll("span.help-tooltip[aria-label]")) hint.role = "img";
}

window.addEventListener("load", () => setTimeout(nameAll)); // Django's own scripts build their widgets on load
document.addEventListener("formset:added", () => setTimeout(nameAll));
