/**
 * The page's only script; without it everything works, and the page is loaded again by hand. It follows a link that signs
 * in, keeps the page up to date while somebody looks at it, and has the slider, the keys and the buttons that copy.
 *
 * Up to date: of all tabs of a browser one holds the stream of events (a lock that the next one gets when it is closed) and
 * tells the others; each asks for its own page again when something happened that it shows. Where there is no stream, each
 * asks every few seconds. What is read, selected, typed or open stays as it is.
 */
export const liveScript = `"use strict";
const $ = (selector) => document.querySelector(selector);
const main = $("main");
const alive = $("#alive");
const isLive = main !== null && "live" in main.dataset;
const FOCUSABLE = "a, button, input, summary, [tabindex]";
const isTyping = () => /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
const isStill = () => document.hidden || !getSelection().isCollapsed || main.querySelector("[data-still], details[open]") || (main.contains(document.activeElement) && isTyping());

const localTimes = (root) => root.querySelectorAll("time").forEach((one) => {
  const at = new Date(one.dateTime);
  if (!Number.isNaN(at.getTime())) one.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" }) + " (" + one.dateTime.replace("T", " ").replace(/\\.\\d+Z$/, " UTC") + ")";
});
const copies = (root) => root.querySelectorAll("[data-copy]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    $("#told").textContent = "Copied.";
    button.classList.add("done");
  });
});

const put = (next) => {
  const place = [...main.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  const words = document.activeElement.textContent;
  const read = [...main.querySelectorAll("pre")].map((one) => [one.scrollTop, one.scrollHeight - one.scrollTop - one.clientHeight < 4]);
  main.replaceChildren(...next.childNodes);
  localTimes(main);
  copies(main);
  main.querySelectorAll("pre").forEach((one, n) => { one.scrollTop = read[n] && !(read[n][1] && "follow" in one.dataset) ? read[n][0] : "follow" in one.dataset ? one.scrollHeight : 0; });
  const same = [...main.querySelectorAll(FOCUSABLE)][place];
  if (place >= 0 && same && (same.tagName === "PRE" || same.textContent === words)) same.focus({ preventScroll: true });
};
/** Only what changed of what the page says of itself is told, and only once. */
const tell = (before, after) => {
  const known = new Set((before || "").split("\\n"));
  const news = (after || "").split("\\n").filter((line) => line && !known.has(line));
  if (news.length > 0) $("#told").textContent = news.slice(0, 3).join(". ");
};

let asked = Date.now();
let tried = asked;
let failures = 0;
let isAsking = false;
let isStale = false;
let isOver = false;
const refresh = async () => {
  if (isAsking || isStill()) { isStale = true; return; }
  isAsking = true;
  isStale = false;
  tried = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(20000) });
    if (answer.redirected && new URL(answer.url).pathname === "/signin") isOver = true;
    if (!answer.ok) throw new Error(String(answer.status));
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (isStill()) isStale = true;
    else if (next && !isOver) {
      if (next.innerHTML !== main.innerHTML) put(next);
      tell(main.dataset.says, next.dataset.says);
      for (const name of ["live", "says", "shows"]) if (name in next.dataset) main.dataset[name] = next.dataset[name];
    }
    asked = Date.now();
    failures = 0;
  } catch { failures += 1; }
  isAsking = false;
};

/** What the stream said last, and whether there is one: "stream", "none" or, until that is known, "". */
let mode = "";
let heard = 0;
let event = 0;
const shows = (stream) => {
  const shown = (main.dataset.shows || "").split(" ").filter(Boolean);
  return shown.length === 0 || shown.includes(stream);
};
let due;
let once;
const soon = () => { clearTimeout(due); due = setTimeout(refresh, Math.max(150, 1000 - (Date.now() - asked))); };
/** Soon, and once more: lists are made of the log, a moment later. */
const settle = () => {
  soon();
  clearTimeout(once);
  once = setTimeout(refresh, 3000);
};
const hear = ({ kind, stream }) => {
  if (kind === "none") { if (mode !== "none") mode = "none"; return; }
  // what happened after this page was made and before the stream began is on none of them
  if (mode !== "stream") settle();
  mode = "stream";
  heard = Date.now();
  if (kind !== "event") return;
  event = Date.now();
  if (shows(stream)) settle();
};

const channel = "BroadcastChannel" in window ? new BroadcastChannel("shiplog") : undefined;
let lastId;
let holds = false;
if (channel) channel.onmessage = ({ data }) => {
  // a tab that has just opened asks whether somebody holds the stream
  if (data.kind === "hello") { if (holds && mode === "stream") channel.postMessage({ kind: "beat", id: lastId }); return; }
  hear(data);
  if (data.id) lastId = data.id;
};
const spread = (news) => { hear(news); if (channel) channel.postMessage({ ...news, id: lastId }); };
const holdStream = () => new Promise((done) => {
  holds = true;
  const source = new EventSource("/stream" + (lastId ? "?last=" + encodeURIComponent(lastId) : ""));
  source.onmessage = ({ data, lastEventId }) => { lastId = lastEventId; spread({ kind: "event", stream: JSON.parse(data).stream }); };
  source.addEventListener("beat", ({ lastEventId }) => { lastId = lastEventId; spread({ kind: "beat" }); });
  // it comes again by itself after a cut; where it is refused it does not, and pages ask
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) { spread({ kind: "none" }); setTimeout(done, 300000); } };
});
const follow = async () => {
  for (;;) await (navigator.locks ? navigator.locks.request("shiplog-stream", holdStream) : holdStream());
};

const say = () => {
  const ago = (since) => { const s = Math.round((Date.now() - since) / 1000); return s < 60 ? s + " s" : s < 3600 ? Math.floor(s / 60) + " min" : Math.floor(s / 3600) + " h"; };
  if (isOver) { alive.textContent = "signed out: load the page again"; alive.classList.add("late"); return; }
  const waits = isStale && isStill() && !document.hidden;
  const late = failures > 0 || waits || (mode === "stream" ? Date.now() - heard > 20000 : Date.now() - asked > Number(main.dataset.live) * 3000 + 5000);
  alive.classList.toggle("late", late && !document.hidden);
  if (failures > 0) { alive.textContent = "no answer for " + ago(asked); return; }
  if (waits) { alive.textContent = "something is new; it waits while you read"; return; }
  if (mode === "") { alive.textContent = "connecting"; return; }
  alive.textContent = mode === "stream"
    ? late ? "no sign of the engine for " + ago(heard) : event ? "live, last event " + ago(event) + " ago" : "live"
    : late ? "no answer for " + ago(asked) : "asks every " + main.dataset.live + " s";
};
if (isLive) {
  follow();
  say();
  if (channel) channel.postMessage({ kind: "hello" });
  setInterval(() => {
    const every = Number(main.dataset.live) * 1000;
    // a stream tells of events; a log that grows and a step's progress are none
    const isHeard = mode === "stream" && Date.now() - heard < 20000;
    const usual = isHeard && every > 5000 ? 60000 : every;
    const wait = failures > 0 ? Math.min(60000, 1000 * 2 ** failures) : isStale ? 1000 : usual;
    if (!isOver && !document.hidden && Date.now() - tried >= wait) refresh();
    say();
  }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
}

const slider = $("#slider");
if (slider) {
  slider.closest(".slide").hidden = false;
  const shown = $("#slid");
  slider.addEventListener("input", () => { shown.textContent = Number(slider.value) >= Number(slider.max) ? "now" : new Date(Number(slider.value)).toLocaleString(); });
  const go = () => {
    const to = new URL(location.href);
    to.hash = "";
    if (Number(slider.value) >= Number(slider.max)) to.searchParams.delete("at");
    else to.searchParams.set("at", new Date(Number(slider.value)).toISOString());
    location.href = to.href;
  };
  // a mouse goes where it lets go; keys move it a step each, and Enter goes there
  let isHeld = false;
  slider.addEventListener("pointerdown", () => { isHeld = true; });
  slider.addEventListener("change", () => { if (isHeld) go(); });
  slider.addEventListener("keydown", (key) => { isHeld = false; if (key.key === "Enter") { key.preventDefault(); go(); } });
}

let waitsFor;
let pressed = 0;
document.addEventListener("keydown", (key) => {
  if (key.ctrlKey || key.metaKey || key.altKey || isTyping()) return;
  if (key.key === "/") {
    const find = $("input[type=search]");
    if (find) { key.preventDefault(); find.focus(); }
    else location.href = "/?find=";
  } else if (key.key === "?") { key.preventDefault(); const help = $("#keys"); if (help.open) help.close(); else help.showModal(); }
  else if (waitsFor === "g" && Date.now() - pressed < 1500) { const to = $("nav a[data-key='" + CSS.escape(key.key) + "']"); if (to) location.href = to.href; }
  waitsFor = key.key;
  pressed = Date.now();
});

if (main) { localTimes(main); copies(main); }
const link = /^#(shs_[\\w-]+)$/.exec(location.hash);
if (link && location.pathname === "/signin") {
  history.replaceState(null, "", location.pathname + location.search);
  $("#token").value = link[1];
  $("main form").submit();
}
`;
