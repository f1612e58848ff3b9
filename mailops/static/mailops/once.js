// <form data-once>: a second click, or Enter held down, sends nothing more. The server guards itself all the same.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (event.defaultPrevented) return;
  form.dataset.sent = "yes";
  const buttons = form.querySelectorAll("button:not([type=button]), input[type=submit]");
  // only after the browser has read the form: a disabled button's name and value are not sent
  setTimeout(() => {
    for (const button of buttons) button.disabled = true;
    event.submitter?.setAttribute("aria-busy", "true");
  });
});

// coming back to the page, also out of the browser's own memory of it
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button:disabled, input[type=submit]:disabled")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }
});
