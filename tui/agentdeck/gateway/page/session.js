// The shared session as this page knows it: messages go in, and whoever shows a part of it is told that it changed.

import { plain } from "./words.js";

const FEED_KEPT = 400;
const TALK_KEPT = 400;
const TYPING_LASTS = 4500;

export class Session {
  constructor(send) {
    this.send = send;
    this.listeners = new Map();
    this.shift = 0;
    this.me = { id: "", name: "", role: "observer", hands: false };
    this.names = new Map([["owner", "Owner"], ["session", "The session"]]);
    this.typing = new Map();
    this.unsent = new Map();
    this.expires = 0;
    this.known = 0;
    this.name = "";
    this.provider = "";
    this.forget();
  }

  forget() {
    this.status = { state: "unknown", why: "", since: 0 };
    this.data = null;
    this.health = null;
    this.files = [];
    this.people = [];
    this.viewers = 0;
    this.queue = { items: [], paused: false, busy: false, waits_for: "" };
    this.feed = new Map();
    this.talk = [];
    this.total = [];
  }

  /** Call `listener(message)` whenever one of these parts has changed. */
  on(parts, listener) {
    for (const part of parts.split(" ")) {
      this.listeners.set(part, [...(this.listeners.get(part) ?? []), listener]);
    }
  }

  tell(part, message = null) {
    for (const listener of this.listeners.get(part) ?? []) listener(message);
  }

  /** Whether a message tells what has happened since we came. */
  isNews({ seq = 0 }) {
    return seq === 0 || seq > this.known;
  }

  /** Seconds, by the server's clock. */
  now() {
    return Date.now() / 1000 + this.shift;
  }

  nameOf(id) {
    return id === this.me.id ? "You" : this.names.get(id) ?? "A guest";
  }

  hear(message) {
    const { t, d, by = "", ts = 0, seq = 0, id = "" } = message;
    switch (t) {
      case "hello":
        if (message.fresh) {
          this.forget();
          for (const part of ["feed", "talk"]) this.tell(part);
        }
        this.shift = d.server_time - Date.now() / 1000;
        this.me = { ...this.me, id: d.participant, name: plain(d.name), role: d.role, hands: false };
        this.expires = d.expires_at;
        this.name = plain(d.session);
        this.provider = plain(d.provider);
        this.tell("hello");
        this.tell("me");
        break;
      case "snapshot":
        this.known = d.last_seq;
        this.status = d.status;
        this.takeData(d.data);
        this.health = d.health;
        this.files = d.files.files;
        this.takePresence(d.presence);
        this.queue = d.queue;
        for (const part of ["status", "data", "health", "files", "people", "queue"]) this.tell(part);
        this.tell("screen", d.screen);
        break;
      case "screen":
        this.tell("screen", d);
        break;
      case "status":
        this.status = d;
        this.feed.set(`s${seq}`, { key: `s${seq}`, at: ts, kind: "status", title: d.state, text: d.why });
        this.tell("status", message);
        this.trim();
        break;
      case "feed":
        this.feed.set(`f${d.n}`, { ...d, key: `f${d.n}` });
        this.trim(message);
        break;
      case "session_data_update":
        this.takeData(d);
        this.tell("data");
        break;
      case "session_health_update":
        this.health = d;
        this.tell("health");
        break;
      case "session_file_update":
        this.files = d.files;
        this.tell("files");
        break;
      case "presence":
        this.takePresence(d);
        this.tell("people");
        break;
      case "queue":
        this.queue = d;
        this.tell("queue");
        break;
      case "role":
        this.me = { ...this.me, role: d.role, hands: d.hands ?? false };
        this.tell("me", message);
        break;
      case "chat":
      case "command":
        this.typing.delete(by);
        this.unsent.delete(id);
        this.say({ seq, at: ts, by, kind: t, text: d.text }, message);
        this.tell("typing");
        break;
      case "interrupt":
        this.say({ seq, at: ts, by, kind: "note", text: `${this.nameOf(by)} interrupted the agent` }, message);
        break;
      case "system":
        this.learnName(d);
        if (d.about !== "offline") this.say({ seq, at: ts, by, kind: "note", text: d.text }, message);
        this.tell("system", message);
        break;
      case "typing":
        if (d.participant && d.participant !== this.me.id) this.hearTyping(d);
        break;
      case "echo":
        this.tell("echo", message);
        break;
      case "error":
        this.unsent.delete(d.ref);
        this.tell("typing");
        this.tell("error", message);
        break;
      default: // newer servers say more
    }
  }

  takeData(d) {
    this.data = d;
    const last = this.total.at(-1);
    if (d.tokens !== null && d.tokens !== undefined && (!last || last[1] !== d.tokens)) {
      this.total.push([this.now(), d.tokens]);
      if (this.total.length > 600) this.total.splice(1, 100);
    }
  }

  takePresence(d) {
    this.people = d.participants.map((each) => ({ ...each, name: plain(each.name) }));
    this.viewers = d.viewers ?? 0;
    for (const each of this.people) this.names.set(each.id, each.name);
    const own = this.people.find((each) => each.id === this.me.id);
    if (own && (own.name !== this.me.name || own.role !== this.me.role || (own.hands ?? false) !== this.me.hands)) {
      this.me = { ...this.me, name: own.name, role: own.role, hands: own.hands ?? false };
      this.tell("me");
    }
  }

  /** Of those who left before we came only the log knows the name. */
  learnName(d) {
    const end = d.text.lastIndexOf(" joined as ");
    if (d.about === "joined" && end > 0 && !this.names.has(d.participant)) {
      this.names.set(d.participant, plain(d.text.slice(0, end)));
    }
  }

  hearTyping({ participant, on = true }) {
    if (on) this.typing.set(participant, Date.now() + TYPING_LASTS);
    else this.typing.delete(participant);
    this.tell("typing");
    setTimeout(() => {
      if ((this.typing.get(participant) ?? Infinity) <= Date.now()) {
        this.typing.delete(participant);
        this.tell("typing");
      }
    }, TYPING_LASTS + 50);
  }

  say(line, message) {
    this.talk.push({ ...line, text: plain(line.text) });
    if (this.talk.length > TALK_KEPT) this.talk.shift();
    this.tell("talk", message);
  }

  trim(message = null) {
    while (this.feed.size > FEED_KEPT) this.feed.delete(this.feed.keys().next().value);
    this.tell("feed", message);
  }
}
