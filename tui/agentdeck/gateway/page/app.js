// The page of a shared session: who comes in, what they see, and the way out.

import { activity, files } from "./activity.js";
import { announcer } from "./announce.js";
import { Connection } from "./connection.js";
import { find, make, painter, say, show } from "./dom.js";
import { answerOtherTabs, card, place, way } from "./enter.js";
import { Session } from "./session.js";
import { shortcuts, themes } from "./settings.js";
import { badge, go, regions, tabs } from "./tabs.js";
import { chat, people, queue } from "./talk.js";
import { Screen } from "./terminal.js";
import { usage } from "./usage.js";
import { STATES, plain, rights, span } from "./words.js";

let connection = null;
let tell = () => {};

const session = new Session((...words) => connection?.send(...words) ?? "");
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
  say(find("#expires"), session.expires ? `The share ends by itself in ${span(left)} at the latest.` : "");
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
session.on("system", ({ d }) => {
  if (d.about !== "offline") return;
  line({ is: "away", title: "The owner is offline", text: "You see the newest that was shared; it goes on when they are back." });
});

// ── the line ───────────────────────────────────────────────────────────────────────────────────

let ticking = 0;

function line(now) {
  const bar = find("#line");
  clearInterval(ticking);
  bar.dataset.is = now.is;
  find("#session").dataset.line = now.is;
  const paint = () => {
    const wait = now.at ? Math.ceil((now.at - Date.now()) / 1000) : 0;
    const when = now.at ? (wait > 0 ? ` Trying again in ${wait} s.` : " Trying again.") : "";
    say(find("#line-text"), `${now.title || "The connection is lost."} ${now.text ?? ""}`.trim());
    say(find("#line-when"), when);
  };
  show(bar, now.is === "offline" || now.is === "away" || (now.is === "connecting" && now.tries > 0));
  show(find("#line-now"), now.is === "offline");
  if (now.is === "connecting") say(find("#line-when"), " Connecting…");
  else paint();
  if (now.at) ticking = setInterval(paint, 500);
}

find("#line-now").addEventListener("click", () => connection?.hurry());

function moved(now) {
  switch (now.is) {
    case "live":
      line(now);
      if (document.body.dataset.view !== "session") begin();
      else tell("Connected again");
      break;
    case "waiting":
      say(find("#words"), plain(now.words).split(/[\s-]+/).join(" "));
      if (document.body.dataset.view !== "enter" || find("#enter [data-card=waiting]").hidden) card("waiting");
      break;
    case "over":
      end(now);
      break;
    case "offline":
      if (document.body.dataset.view === "session") {
        tell("The connection is lost. Trying again.");
        line(now);
      } else if (find("#enter [data-card=waiting]").hidden) {
        card("message", { title: now.title || "The server does not answer", text: `${now.text || "Trying again."}` });
      }
      break;
    default:
      if (document.body.dataset.view === "session") line(now);
  }
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
  const sentence = plain(told);
  card("message", { title, text: code === "ENDED" && sentence ? `${sentence[0].toUpperCase()}${sentence.slice(1)}.` : text });
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
  answerOtherTabs(share);
  connection = new Connection(share, csrf, (message) => session.hear(message), moved);
  connection.open();
});

