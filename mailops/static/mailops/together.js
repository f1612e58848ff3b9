// Several orders on one page: once other ones are ticked, the button no longer names their total, so it asks for it.
for (const form of document.querySelectorAll("form[data-together]")) {
  const button = form.querySelector("[data-confirms]");
  if (!button) continue;
  const words = button.textContent;
  const ticked = () => [...form.querySelectorAll("input[name=order]:checked")].map((box) => box.value).join(" ");
  const counted = form.querySelector("input[name=counted]").value.trim();
  const say = () => (button.textContent = ticked() === counted ? words : button.dataset.againSays);
  form.addEventListener("change", say);
  window.addEventListener("pageshow", say);
}
