// The shared session as this page knows it: messages go in, and whoever shows a part of it is told that it changed.

import { Lines } from "./roll.js";
import { plain } from "./words.js";

const FEED_KEPT = 20_000;
const TALK_KEPT = 4_000;
const PAGE = 200;
const TYPING_LASTS = 4500;

export class Session {
  /** `send(t, d, how)` says something; `read(what, before)` asks for older messages of the log. */
  constructor(send, read) {
    this.send = send;
    this.read = read;
    this.feed = new Lines(FEED_KEPT);
    this.talk = new Lines(TALK_KEPT);
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
    this.usage = [];
    this.health = null;
    this.files = [];
    this.people = [];
    this.viewers = 0;
    this.queue = { items: [], paused: false, busy: false, waits_for: "" };
    this.feed.clear();
    this.talk.clear();
    this.begun = false;
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
    const { t, d, by = "", seq = 0, id = "" } = message;
    if (seq) this.begin(seq);
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
        this.usage = d.usage?.points ?? [];
        this.health = d.health;
        this.files = d.files.files;
        this.takePresence(d.presence);
        this.queue = d.queue;
        for (const part of ["status", "data", "usage", "health", "files", "people", "queue"]) this.tell(part);
        this.tell("screen", d.screen);
        break;
      case "screen":
        this.tell("screen", d);
        break;
      case "status":
        this.status = d;
        this.tell("status", message);
        this.feed.add(lineOf(message));
        this.tell("feed");
        break;
      case "feed":
        this.feed.add(lineOf(message));
        this.tell("feed", message);
        break;
      case "session_usage_update":
        this.usage = d.points;
        this.tell("usage");
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
        this.say(message);
        this.tell("typing");
        break;
      case "interrupt":
        this.say(message);
        break;
      case "system":
        this.learnName(d);
        if (seq) this.say(message);
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

  say(message) {
    this.talk.add(lineOf(message));
    this.tell("talk", message);
  }

  // ── what was before ─────────────────────────────────────────────────────────────────────────

  /** The log is known from event `seq` on. */
  begin(seq) {
    if (this.begun) return;
    this.begun = true;
    for (const lines of [this.feed, this.talk]) {
      lines.before = seq;
      lines.more = seq > 1;
    }
    if (seq > 1) this.older("talk").catch(() => {}); // what people said may lie far behind what the agent did
  }

  /** Get older lines of the `feed` or the `talk`. */
  async older(part) {
    const lines = this[part];
    const before = lines.before;
    const told = await this.read(part === "feed" ? "history" : "talk", { before, limit: PAGE });
    if (lines.before !== before) return; // everything was forgotten meanwhile, or somebody else was faster
    for (const { t, d } of told.messages) if (t === "system") this.learnName(d);
    lines.addOlder(told.messages.map(lineOf));
    lines.before = told.next;
    lines.more = told.next > 1;
    this.tell(part);
  }
}

/** A line of the feed or of the talk. A call has one: its number and time stay when it is done. */
function lineOf({ t, d, by = "", ts = 0, seq = 0 }) {
  switch (t) {
    case "feed":
      return { ...d, seq, key: `f${d.n} ${d.at}` };
    case "status":
      return { seq, key: `s${seq}`, at: ts, kind: "status", title: d.state, text: d.why };
    case "interrupt":
    case "system":
      return { seq, key: `t${seq}`, at: ts, by, kind: "note", about: t, text: plain(d.text) };
    default:
      return { seq, key: `t${seq}`, at: ts, by, kind: t, text: plain(d.text) };
  }
}
