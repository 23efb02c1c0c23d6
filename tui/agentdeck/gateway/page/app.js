// The page of a shared session: who comes in, what they see, and the way out.

import { activity, files } from "./activity.js";
import { announcer } from "./announce.js";
import { chart } from "./chart.js";
import { Connection, log } from "./connection.js";
import { find, make, painter, say, show } from "./dom.js";
import { card, place, way } from "./enter.js";
import { Session } from "./session.js";
import { shortcuts, themes } from "./settings.js";
import { badge, go, regions, tabs } from "./tabs.js";
import { chat, people, queue } from "./talk.js";
import { Screen } from "./terminal.js";
import { usage } from "./usage.js";
import { STATES, moment, plain, rights, sentence, span } from "./words.js";

let connection = null;
let tell = () => {};

const session = new Session((...words) => connection?.send(...words) ?? "", (what, range) => log(connection.share, what, range));
const screen = new Screen(find("#terminal"), {
  resync: () => session.send("resync"),
  typed: (text) => {
    if (!hands.on) return;
    for (let at = 0; at < text.length; at += 250) session.send("keys", { data: text.slice(at, at + 250) });
  },
});

// ── the keyboard, for those whom the owner has given it ────────────────────────────────────────

const hands = {
  on: false,
  set(on) {
    hands.on = on && session.me.hands;
    find("#hands").setAttribute("aria-pressed", String(hands.on));
    find("#terminal").classList.toggle("typing", hands.on);
    show(find("#hands-hint"), hands.on);
    screen.typing(hands.on);
  },
};

find("#hands").addEventListener("click", () => hands.set(!hands.on));
screen.leaveWith((event) => event.ctrlKey && event.key === "]", () => {
  hands.set(false);
  find("#hands").focus();
});

// ── what stands above everything ───────────────────────────────────────────────────────────────

function state() {
  const { state: name, why, since } = session.status;
  const [shape, word] = STATES[name] ?? STATES.unknown;
  const chip = find("#state");
  chip.dataset.state = name;
  say(find(".shape", chip), shape);
  say(find(".word", chip), word);
  say(find("#state-why"), plain(why));
  say(find("#state-since"), since ? span(session.now() - since) : "");
  const title = plain(session.data?.title) || session.name || "A shared session";
  say(find("#title"), title);
  say(find("#subtitle"), [session.name !== title ? session.name : "", session.provider, plain(session.data?.model)]
    .filter(Boolean).join(" · "));
  document.title = `${shape} ${title} · agentdeck`;
}

function role() {
  const { role: name, hands: typing } = session.me;
  say(find("#role-name"), typing ? `${name}, with keyboard` : name);
  find("#rights").replaceChildren(
    ...rights(name, typing).map(([text, may]) =>
      make("li", { "data-may": String(may) }, make("b", {}, may ? "You may " : "You may not "), text)),
  );
  show(find("#hands"), typing);
  if (!typing) hands.set(false);
  const left = session.expires - session.now();
  say(find("#expires"), session.expires ? `The share ends by itself in ${span(left)} at the latest, at ${moment(session.expires, session.now())}.` : "");
}

const above = painter(state);
session.on("status data me", above);
session.on("me", painter(role));
setInterval(() => document.visibilityState === "visible" && document.body.dataset.view === "session" && state(), 1000);

// ── notes that come and go ─────────────────────────────────────────────────────────────────────

let noteTimer = 0;

function note(text) {
  clearTimeout(noteTimer);
  say(find("#note-text"), text);
  show(find("#note"), true);
  noteTimer = setTimeout(() => show(find("#note"), false), 8000);
}

find("#note button").addEventListener("click", () => show(find("#note"), false));
session.on("error", ({ d }) => note(`${plain(d.text) || "That was refused."}${d.retry_after ? ` Wait ${Math.ceil(d.retry_after)} s.` : ""}`));
session.on("me", (message) => message && note(`Your role has changed: you are ${message.d.role} now.`));
session.on("system", ({ d }) => d.about === "offline" && line({ is: "away" }));

// ── the line ───────────────────────────────────────────────────────────────────────────────────

const LINES = {
  connecting: () => ["Connecting…"],
  away: () => ["The owner is offline.", "You see the newest that was shared; it goes on by itself when they are back, and ends when they stay away."],
  silent: () => ["Nobody answers any more.", "The share may be over, or your network is down."],
  offline: ({ title, text, told, code }) => [title ? `${title}.` : "The connection is lost.", code === "FULL" ? sentence(told) : text],
};

let ticking = 0;

/** What is wrong with the line and what becomes of it, in words; the same above a session and on the cards before. */
function line(now) {
  clearInterval(ticking);
  if (now.is === "offline" && now.code === "SLOW_CONSUMER" && find("#session").dataset.line === "away") {
    now = { ...now, title: "The owner is back", text: "" };
  }
  find("#session").dataset.line = find("#line").dataset.is = now.is;
  const [title, text] = LINES[now.is]?.(now) ?? [];
  const paint = () => {
    const wait = Math.ceil((now.at - Date.now()) / 1000);
    say(find("#line-text"), [title, text].filter(Boolean).join(" "));
    say(find("#line-when"), now.at ? (wait > 0 ? ` Trying again in ${wait} s.` : " Trying again.") : "");
  };
  if (title) paint();
  show(find("#line"), now.is !== "live" && (now.is !== "connecting" || now.tries > 0));
  show(find("#line-now"), now.is === "offline" || now.is === "silent");
  if (now.at) ticking = setInterval(paint, 500);
}

for (const button of document.querySelectorAll(".try-now")) button.addEventListener("click", () => connection?.hurry());

function moved(now) {
  const inside = document.body.dataset.view === "session";
  if (now.is === "over") end(now);
  else if (now.is === "waiting") wait(now.words);
  else if (now.is === "live") {
    line(now);
    if (inside) tell("Connected again");
    else begin();
  } else if (inside) {
    if (now.is === "offline" && !find("#line").checkVisibility()) tell("The connection is lost. Trying again.");
    line(now);
  } else if (now.is !== "connecting") outside(now);
}

function wait(words) {
  say(find("#words"), plain(words).split(/[\s-]+/).join(" "));
  say(find("#waiting-line"), "The page goes on by itself when you are let in.");
  card("waiting");
}

/** Before anything of the session was seen. */
function outside(now) {
  const [title, text] = LINES[now.is](now);
  const more = now.is === "offline" ? "It goes on by itself." : "";
  if (document.body.dataset.view === "enter" && !find("#enter [data-card=waiting]").hidden) {
    say(find("#waiting-line"), `${title} ${more || text}`);
  } else card("message", { title: title.replace(/\.$/, ""), text: `${text ?? ""} ${more}`.trim() });
  show(find("#enter-retry"), now.is === "silent");
  show(find("#enter-other"), false);
}

function begin() {
  document.body.dataset.view = "session";
  show(find("#enter"), false);
  show(find("#session"), true);
  show(find(".skip"), true);
  screen.fit();
  tell = announcer(session);
  find("#title").focus({ preventScroll: true });
}

/** Nothing of the session stays on a page whose visit is over. */
function end({ code, title, text, told }) {
  place.forget(connection.share);
  connection.end();
  session.forget();
  screen.take({ full: true, from: 0, tseq: 1, cols: 80, rows: 24, lines: [], cursor: [0, 0, false] });
  for (const part of ["feed", "talk", "files", "people", "queue"]) session.tell(part);
  card("message", { title, text: code === "ENDED" ? sentence(plain(told)) || text : text });
  show(find("#enter-retry"), false);
  show(find("#enter-other"), !["ENDED", "REVOKED", "FORBIDDEN"].includes(code));
}

// ── together ───────────────────────────────────────────────────────────────────────────────────

session.on("screen", (told) => {
  show(find(".screen-empty"), !screen.tseq && !told);
  screen.take(told);
});
session.on("hello", () => screen.forget());

activity(session);
files(session);
usage(session);
chart(session);
chat(session, badge);
queue(session, badge);
people(session);
const openers = [...document.querySelectorAll("[role=tablist]")].map(tabs);
const open = (name) => openers.some((each) => each(name));
regions();

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => screen.larger(Number(button.dataset.zoom)));
}
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}
for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
find("#faces-button").addEventListener("click", () => open("people"));

const nextTheme = themes((theme) => screen.colours(theme));
const write = (name, field) => () => {
  open(name);
  const place = find(field);
  if (place.offsetParent) place.focus();
  else find(`[data-tab=${name}]`).focus();
};
const look = (name) => () => {
  open(name);
  find(`[data-tab=${name}]`).focus();
};
const region = (name, target) => () => {
  go(name);
  find(target).focus();
};
shortcuts({
  t: region("terminal", ".screen-view"),
  u: region("usage", "#usage"),
  a: look("activity"),
  f: look("files"),
  c: write("chat", "#chat-form textarea"),
  q: write("queue", "#prompt-form textarea"),
  p: look("people"),
  d: nextTheme,
  "?": () => find("#help").showModal(),
});

way((share, csrf) => {
  connection = new Connection(share, csrf, (message) => session.hear(message), moved);
  connection.open();
});

