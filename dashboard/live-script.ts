/**
 * The page's only script: it follows a link that signs in, and asks for the page again every few seconds while somebody looks at it, and puts in what
 * changed. Where somebody reads, selects, types or has opened something, it waits. Without it everything works; the page is
 * loaded again by hand.
 */
export const liveScript = `"use strict";
const main = document.querySelector("main[data-live]");
const alive = document.getElementById("alive");
const FOCUSABLE = "a, button, input, summary, [tabindex]";
const isStill = () => document.hidden || !getSelection().isCollapsed || main.querySelector("[data-still], details[open]") || (main.contains(document.activeElement) && /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName));
const put = (next) => {
  const place = [...main.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  const words = document.activeElement.textContent;
  const read = [...main.querySelectorAll("pre")].map((one) => one.scrollTop);
  main.replaceChildren(...next.childNodes);
  main.querySelectorAll("pre").forEach((one, n) => { one.scrollTop = read[n] || 0; });
  const same = [...main.querySelectorAll(FOCUSABLE)][place];
  if (place >= 0 && same && (same.tagName === "PRE" || same.textContent === words)) same.focus({ preventScroll: true });
};
const say = (words, late) => { alive.textContent = words; alive.classList.toggle("late", late); };
let since = Date.now();
const refresh = async () => {
  try {
    if (!isStill()) {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected) return say("signed out: load the page again", true);
      if (!answer.ok) throw new Error(String(answer.status));
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
      if (next && !isStill()) {
        if (next.innerHTML !== main.innerHTML) put(next);
        main.dataset.live = next.dataset.live || main.dataset.live;
      }
    }
    since = Date.now();
    say("updates by itself", false);
  } catch {
    say("no answer for " + Math.round((Date.now() - since) / 1000) + " s", true);
  }
  setTimeout(refresh, main.dataset.live * 1000);
};
const link = /^#(shs_[\\w-]+)$/.exec(location.hash);
if (link && location.pathname === "/signin") {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = link[1];
  document.querySelector("main form").submit();
}
if (main) setTimeout(refresh, main.dataset.live * 1000);
`;
