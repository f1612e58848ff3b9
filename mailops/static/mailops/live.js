// <section id="state" data-live="/orders/7/" data-every="1500" data-version="3">: fetched again and again, and replaced
// by the element with the same id once its version differs. An answer without data-live is the last one.
const SLOWEST = 60_000;

function isTypingIn(panel) {
  const field = document.activeElement;
  return panel.contains(field) && field.matches("input, select, textarea, [contenteditable]");
}

function say(words) {
  const region = document.getElementById("live-words");
  if (region && words && region.textContent !== words) region.textContent = words;
}

function swap(panel, fresh) {
  for (const open of panel.querySelectorAll("details[open][id]")) {
    fresh.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
  }
  const focused = panel.contains(document.activeElement) ? document.activeElement : null;
  panel.replaceWith(fresh);
  if (focused) {
    const again = (focused.id && document.getElementById(focused.id)) || fresh;
    if (again === fresh) fresh.tabIndex = -1;
    again.focus({ preventScroll: true });
  }
  say((fresh.querySelector("[data-says]") ?? fresh.querySelector(".chip"))?.textContent.trim() ?? "Updated");
}

function stop(panel) {
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = "This part of the page is no longer up to date. Reload the page to see what changed.";
  panel.before(note);
  say(note.textContent);
}

function follow(id) {
  let wait = 0;

  function again(panel, slower) {
    const every = Number(panel.dataset.every) || 5000;
    wait = slower ? Math.min(Math.max(wait, every) * 2, SLOWEST) : every;
    setTimeout(look, wait);
  }

  async function look() {
    const panel = document.getElementById(id);
    if (!panel?.dataset.live) return;
    if (document.hidden) {
      document.addEventListener("visibilitychange", look, { once: true });
      return;
    }
    if (isTypingIn(panel)) return again(panel, false);
    let fresh;
    try {
      const answer = await fetch(panel.dataset.live, { credentials: "same-origin", headers: { Accept: "text/html" } });
      if (!answer.ok) return again(panel, true);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      fresh = page.getElementById(id);
    } catch {
      return again(panel, true);
    }
    if (!panel.isConnected) return;
    if (!fresh) return stop(panel); // logged out, or gone
    const isNew = fresh.dataset.version !== panel.dataset.version;
    if (isNew && isTypingIn(panel)) return again(panel, false); // focus came while it was fetched
    if (isNew) swap(panel, document.importNode(fresh, true));
    if (fresh.dataset.live) again(fresh, false);
    else delete panel.dataset.live;
  }

  again(document.getElementById(id), false);
}

for (const panel of document.querySelectorAll("[data-live][id]")) follow(panel.id);
