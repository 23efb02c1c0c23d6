// People: the chat, the queue of prompts, and who is here.

import { find, keep, make, painter, say, show } from "./dom.js";
import { roll } from "./roll.js";
import { atLeast, clock, moment, plain, plural } from "./words.js";

const TYPING_EVERY = 2500;
const SURE_FOR = 4000;

/** A text field that grows, sends with Enter, and tells that somebody types. */
function composer(form, session, send) {
  const field = find("textarea", form);
  let told = 0;
  const typing = (on) => {
    if (!on && !told) return;
    if (on && Date.now() - told < TYPING_EVERY) return;
    told = on ? Date.now() : 0;
    session.send("typing", { on });
  };
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(160, field.scrollHeight + 2)}px`;
  };
  field.addEventListener("input", () => {
    grow();
    typing(field.value.trim() !== "");
  });
  field.addEventListener("blur", () => typing(false));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    send(text);
    field.value = "";
    grow();
    typing(false);
  });
}

// ── chat ───────────────────────────────────────────────────────────────────────────────────────

export function chat(session, badge) {
  const form = find("#chat-form");
  composer(form, session, (text) => {
    const id = session.send("chat", { text }, { sure: true });
    session.unsent.set(id, { text, at: session.now() });
    paint();
  });
  const rows = roll(find("#chat"), {
    lines: session.talk,
    load: () => session.older("talk"),
    older: find("#chat-older"),
    newest: find("#chat-newest"),
    draw: (line, before) => {
      const joined = before?.by === line.by && before.kind === line.kind && line.at - before.at < 120;
      const name = session.nameOf(line.by);
      return [line.key, `${name}${joined}`, () => said(session, line, name, joined)];
    },
    tail: () => [...session.unsent].map(([id, { text, at }]) => [
      `u${id}`, "", () => said(session, { by: session.me.id, at, text, kind: "chat" }, "You", false, true),
    ]),
  });
  const paint = () => {
    show(find("#chat-nothing"), !session.talk.all.length && !session.unsent.size);
    rows();
  };
  const typing = painter(() => {
    const names = [...session.typing.keys()].map((id) => session.nameOf(id));
    const place = find("#typing");
    const words = names.length > 2 ? [`${names.length} people are writing…`]
      : names.length ? [...names.flatMap((name, n) => [n ? " and " : "", make("bdi", {}, name)]), ` ${names.length === 1 ? "is" : "are"} writing…`] : [];
    if (place.textContent !== words.map((each) => each.textContent ?? each).join("")) place.replaceChildren(...words);
  });
  const rights = () => {
    const may = atLeast(session.me.role, "commenter");
    show(form, may);
    show(find("#chat-watch"), !may);
  };
  session.on("talk people me typing", paint);
  session.on("typing people", typing);
  session.on("me", rights);
  session.on("talk", (message) => message?.t === "chat" && session.isNews(message) && message.by !== session.me.id && badge("chat"));
}

function said(session, line, name, joined, waiting = false) {
  if (line.kind === "note") {
    const text = line.about === "interrupt" ? `${name} interrupted the agent` : line.text;
    return make("div", { class: "note" }, make("bdi", {}, text), " ", make("time", {}, moment(line.at, session.now())));
  }
  const own = line.by === session.me.id;
  return make(
    "div", { class: `word ${own ? "own" : ""} ${joined ? "joined" : ""} ${line.kind} ${waiting ? "waiting" : ""}` },
    make(
      "p", { class: joined ? "unseen" : "who" },
      make("b", { dir: "auto", "data-role": line.by === "owner" ? "owner" : null }, name),
      line.kind === "command" && " asks the agent",
      " ",
      make("time", {}, waiting ? "sending…" : moment(line.at, session.now())),
    ),
    make("p", { class: "text", dir: "auto" }, line.text),
  );
}

// ── queue ──────────────────────────────────────────────────────────────────────────────────────

const QUEUED = {
  queued: "waits", delivering: "on its way", running: "the agent works on it", done: "done", failed: "not delivered",
  cancelled: "taken back", expired: "its time was over", maybe: "sent or not: its owner looks",
};
const OVER = new Set(["done", "failed", "cancelled", "expired"]);

export function queue(session, badge) {
  const list = find("#queue");
  const form = find("#prompt-form");
  composer(form, session, (text) => session.send("command", { text }, { sure: true }));
  const interrupt = twice(find("#interrupt"), "Really interrupt?", () => session.send("interrupt", {}, { sure: true }));
  find("#resume").addEventListener("click", () => session.send("resume", {}, { sure: true }));
  const paint = painter(() => {
    const { items, paused, busy, waits_for: why = "" } = session.queue;
    const waiting = items.filter((item) => !OVER.has(item.state));
    const over = items.filter((item) => OVER.has(item.state)).slice(-8);
    waiting.sort((one, other) => (one.position ?? 0) - (other.position ?? 0));
    const row = (item) => [
      item.id, `${item.state}${item.position}${item.name}${session.me.role}`, () => prompt(session, item),
    ];
    keep(list, [...waiting, ...over.reverse()].map(row));
    const drives = atLeast(session.me.role, "driver");
    show(find("#queue-nothing"), !items.length);
    show(find("#queue-paused"), Boolean(paused));
    show(find("#resume"), drives);
    const count = waiting.filter((item) => item.state === "queued").length;
    say(find("#queue-count"), count ? String(count) : "");
    say(find("#queue-why"), count && why && !paused ? `Waits for ${plain(why)}.` : busy ? "The agent is busy." : "");
    show(form, drives);
    show(interrupt, drives);
    show(find("#queue-watch"), !drives);
  });
  session.on("queue me", paint);
}

/** A button that asks once more before it acts. */
function twice(button, question, act) {
  const words = button.textContent;
  let timer = 0;
  const calm = () => {
    clearTimeout(timer);
    timer = 0;
    button.textContent = words;
    button.classList.remove("sure");
  };
  button.addEventListener("click", () => {
    if (timer) {
      calm();
      act();
    } else {
      button.textContent = question;
      button.classList.add("sure");
      timer = setTimeout(calm, SURE_FOR);
    }
  });
  button.addEventListener("blur", calm);
  return button;
}

function prompt(session, item) {
  const own = item.by === session.me.id;
  const queued = item.state === "queued";
  const name = own ? "You" : plain(item.name);
  const text = plain(item.text);
  return make(
    "li", { class: "prompt", "data-state": item.state },
    make("span", { class: "position", "aria-hidden": "true" }, queued ? String(item.position || "·") : marks(item.state)),
    make(
      "div", {},
      make(
        "p", { class: "who" },
        queued && make("span", { class: "unseen" }, `Position ${item.position}. `),
        make("b", { dir: "auto" }, name), ` · ${QUEUED[item.state] ?? item.state}`, item.at ? ` · ${clock(item.at)}` : "",
      ),
      make("p", { class: "text", dir: "auto" }, text),
    ),
    own && queued && atLeast(session.me.role, "driver") && make(
      "button",
      { type: "button", class: "plain", "aria-label": `Take back: ${text.slice(0, 60)}`,
        on: { click: () => session.send("cancel", { item: item.id }, { sure: true }) } },
      "Take back",
    ),
  );
}

const marks = (state) => ({ done: "✓", failed: "✕", cancelled: "–", expired: "–", maybe: "?" })[state] ?? "◐";

// ── people ─────────────────────────────────────────────────────────────────────────────────────

export function people(session) {
  const list = find("#people");
  const form = find("#name-form");
  const field = find("input", form);
  const rename = (on) => {
    show(form, on);
    show(find("#rename"), !on);
    if (on) {
      field.value = session.me.name;
      field.focus();
      field.select();
    } else find("#rename").focus();
  };
  find("#rename").addEventListener("click", () => rename(true));
  field.addEventListener("keydown", (event) => event.key === "Escape" && rename(false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (name && name !== session.me.name) session.send("name", { name }, { sure: true });
    rename(false);
  });
  const paint = painter(() => {
    keep(list, session.people.map((person) => [person.id, JSON.stringify([person, session.me]), () => row(session, person)]));
    const here = session.people.filter((person) => person.online).length;
    const more = session.viewers - here;
    say(find("#people-more"), more > 0 ? `and ${plural(more, "more viewer")}` : "");
    say(find("#people-count"), String(Math.max(here, session.viewers)));
    faces(session);
  });
  session.on("people me", paint);
}

function row(session, person) {
  const own = person.id === session.me.id;
  return make(
    "li", { class: "person", "data-online": person.online ? "yes" : "no" },
    face(person),
    make("span", { class: "name", dir: "auto" }, person.name, own && make("span", { class: "quiet" }, " (you)")),
    make("span", { class: "quiet" }, person.hands ? `${person.role}, with keyboard` : person.role),
    make("span", { class: "presence" }, person.online ? "here" : "away"),
  );
}

const HUES = 8;

/** Initials on one of a few colours, always the same for the same person. */
export function face(person) {
  let sum = 0;
  for (const letter of person.id) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  const initials = person.name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0]).join("");
  return make("span", { class: "face", "data-hue": sum % HUES, "aria-hidden": "true" }, initials.toUpperCase() || "?");
}

function faces(session) {
  const here = session.people.filter((person) => person.online);
  const shown = here.slice(0, 4);
  keep(find("#faces"), shown.map((person) => [person.id, person.name, () => face(person)]));
  const count = Math.max(here.length, session.viewers);
  say(find("#faces-text"), `${plural(count, "person", "people")} here`);
}
