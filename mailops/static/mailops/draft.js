// <form data-draft>: what is typed is kept every few seconds, by a POST of the whole form with keep=1. What the server
// says of it stands in #kept. Without this script everything else on the page works; only this is missing.
const SOON = 2500; // after the last key
const LARGE = 15_000_000; // bytes that the server takes in one form, with some to spare

const form = document.querySelector("form[data-draft]");
const place = document.getElementById("kept");
let kept = form && snapshot();
let timer = 0;
let isBusy = false;
let isSent = false; // the form itself is on its way with all of it: nothing may be kept behind its back
let asking = new AbortController();

function data() {
  const found = new FormData(form);
  found.delete("file");
  return found;
}

function snapshot() {
  const found = data();
  found.delete("csrfmiddlewaretoken");
  return JSON.stringify([...found]);
}

function say(words, link) {
  place.textContent = words;
  if (!link) return;
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: link, target: "_blank", textContent: "Log in in another tab" });
  place.append(" ", anchor);
}

function later(wait = SOON) {
  clearTimeout(timer);
  timer = setTimeout(keep, wait);
}

// after logging in again the page's own proof is too old: a fresh one comes with the page
async function renew() {
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("#draft [name=csrfmiddlewaretoken]")?.value;
  if (fresh) for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = fresh;
  return Boolean(fresh);
}

async function keep({ isLast = false, again = true } = {}) {
  const now = snapshot();
  if (isSent || now === kept || (isBusy && !isLast)) return;
  isBusy = true;
  const body = data();
  body.set("keep", "1");
  try {
    const answer = await fetch(location.href.split("#")[0], {
      method: "POST", body, credentials: "same-origin", redirect: "manual", signal: asking.signal,
      keepalive: isLast && now.length < 50_000,
    });
    if (answer.type === "opaqueredirect" || answer.redirected) {
      say("You are logged out. What you type stays on this page, but is not kept.", "/login/");
      return later(SOON * 4);
    }
    if (answer.status === 403 && again && (await renew())) {
      isBusy = false;
      return keep({ isLast, again: false });
    }
    const told = await answer.json();
    say(told.says);
    if (!answer.ok) return;
    kept = now;
    if (snapshot() === now) form.dispatchEvent(new Event("saved")); // leave.js need not ask
    if (told.token) remember(told.token);
  } catch {
    if (isSent) return;
    say("Not kept: MailOps can’t be reached. What you type stays on this page.");
    later(SOON * 4);
  } finally {
    isBusy = false;
    if (!isSent && snapshot() !== now) later();
  }
}

// a reload, or the tab opened again, comes back with what was typed
function remember(token) {
  const here = new URL(location.href);
  here.searchParams.set("unsaved", token);
  if (here.href !== location.href) history.replaceState(history.state, "", here);
}

function busyWords(submitter) {
  const lines = form.elements.rows.value.split("\n").filter((line) => line.trim()).length;
  const what = ["save", "send"].includes(submitter?.name) ? "Saving" : "Reading";
  if (form.elements.file?.files.length) return "Reading the file…";
  return lines > 1 ? `${what} ${lines.toLocaleString("en")} lines…` : "";
}

if (form) {
  form.addEventListener("input", () => later());
  form.addEventListener("change", () => later());
  form.addEventListener("submit", (event) => {
    if (new Blob([form.elements.rows.value]).size > LARGE) {
      event.preventDefault();
      return say("This is too long to be sent. One order takes 5,000 lines: put the rest into another order.");
    }
    if (event.submitter?.hasAttribute("data-again")) return; // a file to take away: the page stays
    clearTimeout(timer);
    isSent = true;
    asking.abort();
    say(busyWords(event.submitter));
  });
  document.addEventListener("visibilitychange", () => document.hidden && keep({ isLast: true }));
  window.addEventListener("pageshow", (event) => {
    isSent = false;
    asking = new AbortController();
    if (event.persisted) say("");
  });
}
