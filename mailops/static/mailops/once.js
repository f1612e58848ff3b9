// <form data-once>: a second click, or Enter held down, sends nothing more. The server guards itself all the same.
function senders(form) {
  // form.elements also has the buttons that stand outside the form and name it
  return [...form.elements].filter((field) => field.matches("button:not([type=button]), input[type=submit]"));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (event.defaultPrevented || event.submitter?.hasAttribute("data-again")) return; // a file to take away: the page stays
  form.dataset.sent = "yes";
  // only after the browser has read the form: a disabled button's name and value are not sent
  setTimeout(() => {
    for (const button of senders(form).filter((field) => !field.disabled)) {
      button.disabled = true;
      button.dataset.paused = "";
    }
    event.submitter?.setAttribute("aria-busy", "true");
  });
});

// coming back to the page, also out of the browser's own memory of it
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of senders(form).filter((field) => "paused" in field.dataset)) {
      button.disabled = false;
      delete button.dataset.paused;
      button.removeAttribute("aria-busy");
    }
  }
});
