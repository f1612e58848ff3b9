// <form data-leave-warning>: the browser asks before what was typed is lost. With the value "unsaved" the form counts as
// changed from the start (a form shown again with its errors). A script that saves in the background says so with
// form.dispatchEvent(new Event("saved")).
for (const form of document.querySelectorAll("form[data-leave-warning]")) {
  const typed = () =>
    JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ? `${value.name} ${value.size}` : value]));
  let saved = form.dataset.leaveWarning === "unsaved" ? null : typed();
  let isLeaving = false;

  form.addEventListener("saved", () => (saved = typed()));
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("data-again")) return; // a file to take away: the page stays
    isLeaving = true;
    setTimeout(() => (isLeaving = !event.defaultPrevented)); // another listener may have stopped it
  });
  window.addEventListener("pageshow", () => (isLeaving = false));
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && typed() !== saved) event.preventDefault();
  });
}
