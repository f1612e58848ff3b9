// <button data-copy="text">: puts the text into the clipboard. Without this script the buttons are not shown.
document.documentElement.classList.add("copies");

function say(words) {
  const region = document.getElementById("live-words");
  if (region) region.textContent = words;
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // an installation without https has no clipboard of that kind
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("not copied");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await copy(button.dataset.copy);
    say("Copied");
    button.textContent = "Copied";
  } catch {
    say("Not copied. Select the text and copy it yourself.");
  }
  button.focus();
});
