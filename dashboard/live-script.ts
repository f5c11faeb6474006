/**
 * The page's only script: it asks for the page again every few seconds while somebody looks at it, and puts in what
 * changed. Without it everything works; the page is loaded again by hand.
 */
export const liveScript = `"use strict";
const EVERY_MS = 3000;
const main = document.querySelector("main[data-live]");
const alive = document.getElementById("alive");
const isStill = () => document.hidden || main.querySelector("[data-still], details[open]") || (main.contains(document.activeElement) && /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName));
let failed = 0;
const refresh = async () => {
  if (isStill()) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (!isStill() && next && next.innerHTML !== main.innerHTML) {
      const focused = document.activeElement && main.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      main.replaceChildren(...next.childNodes);
      if (focused) for (const link of main.querySelectorAll("a")) if (link.getAttribute("href") === focused) { link.focus({ preventScroll: true }); break; }
    }
    failed = 0;
    alive.textContent = "updates by itself";
    alive.classList.remove("late");
  } catch {
    failed += 1;
    alive.textContent = "no answer for " + failed * EVERY_MS / 1000 + " s";
    alive.classList.add("late");
  }
};
if (main) setInterval(refresh, EVERY_MS);
`;
