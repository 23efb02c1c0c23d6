// The line to the server: joins, the socket, coming back after a break without loss or repetition, and keyed sends.

import { BY_NAME, CLOSES } from "./words.js";

const SUBPROTOCOL = "agentdeck.v1";
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
/** Milliseconds after which what was not sent yet is no longer meant. */
const MEANT = 5_000;
/** Milliseconds without an answer after which nobody is dialled any more, unless somebody asks for it. */
const PATIENCE = 10 * 60_000;
const FLEETING = new Set(["interrupt", "cancel", "resume"]);

/** A refusal: `code` and `text` of the protocol. */
export class Refused extends Error {
  constructor(problem, status = 0) {
    super(problem.text || BY_NAME[problem.code]?.text || "The server has refused.");
    this.code = problem.code ?? "";
    this.status = status;
    this.retryAfter = problem.retry_after ?? null;
  }
}

async function ask(path, body = null) {
  const request = { credentials: "same-origin", cache: "no-store", headers: {} };
  if (body) {
    request.method = "POST";
    request.headers["content-type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  const answer = await fetch(path, request);
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(told, answer.status);
  return told;
}

const path = (share) => `/v1/s/${encodeURIComponent(share)}`;

export const join = (share, secret, name) => ask(`${path(share)}/join`, { secret, name });
export const joinByCode = (code, name) => ask("/v1/join", { code, name });
export const me = (share) => ask(path(share));
export const log = (share, what, range) => ask(`${path(share)}/${what}?${new URLSearchParams(range)}`);

export function key() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Connection {
  /**
   * `heard(message)` gets what is new; `moved(state)` a state: connecting, live, waiting, offline, silent (nobody has
   * answered for so long that nobody is asked any more) or over. `csrf` is kept here only, and asked for when empty.
   */
  constructor(share, csrf, heard, moved) {
    this.share = share;
    this.csrf = csrf;
    this.lostAt = 0;
    this.expires = Infinity;
    this.heard = heard;
    this.moved = moved;
    this.since = 0;
    this.epoch = "";
    this.tries = 0;
    this.outbox = new Map();
    this.socket = null;
    this.timer = 0;
    this.over = false;
    this.last = null;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
  }

  async open() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.silent = false;
    const attempt = (this.attempt = {});
    this.moved({ is: "connecting", tries: this.tries });
    try {
      this.csrf ||= (await me(this.share)).csrf;
    } catch (error) {
      if (attempt === this.attempt && !this.over) this.lost(BY_NAME[error.code], error.code ? error.message : "");
      return;
    }
    if (attempt !== this.attempt || this.over) return;
    const address = new URL(`${path(this.share)}/ws`, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, SUBPROTOCOL);
    this.socket = socket;
    this.last = null;
    socket.addEventListener("open", () => {
      const d = { csrf: this.csrf, since: this.since, epoch: this.epoch };
      socket.send(JSON.stringify({ t: "auth", d }));
    });
    socket.addEventListener("message", (event) => socket === this.socket && this.take(event.data));
    socket.addEventListener("close", (event) => socket === this.socket && this.closed(event));
  }

  /** Try now instead of at the end of the wait. */
  hurry() {
    if ((this.timer || this.silent) && !this.over) this.open();
  }

  end() {
    this.over = true;
    clearTimeout(this.timer);
    this.timer = 0;
    this.socket?.close();
    this.socket = null;
  }

  /** Send; what has an id is kept until it was answered and sent again after a break. Returns the id. */
  send(t, d = {}, { sure = false } = {}) {
    const id = sure ? key() : "";
    const text = JSON.stringify(id ? { t, d, id } : { t, d });
    if (id) this.outbox.set(id, { t, text, at: Date.now() });
    if (this.live) this.socket.send(text);
    return id;
  }

  get live() {
    return this.socket?.readyState === WebSocket.OPEN && this.greeted === this.socket;
  }

  take(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    const { t, seq = 0, d = {} } = message;
    if (t === "hello") {
      if (this.epoch !== d.epoch) {
        this.since = 0;
        message.fresh = true;
      }
      this.epoch = d.epoch;
      this.expires = d.expires_at * 1000;
      this.tries = this.lostAt = 0;
      this.greeted = this.socket;
      this.moved({ is: "live" });
      this.flush();
    } else if (t === "waiting") {
      this.tries = this.lostAt = 0;
      this.moved({ is: "waiting", words: d.words, name: d.name });
      return;
    } else if (t === "ended") {
      this.last = d;
    } else if (t === "echo" || t === "error") {
      this.outbox.delete(d.ref);
    }
    if (seq) {
      if (seq <= this.since) return;
      this.since = seq;
    }
    this.heard(message);
  }

  /** What waited for the connection, in the order in which it was said. */
  flush() {
    for (const [id, kept] of this.outbox) {
      if (FLEETING.has(kept.t) && Date.now() - kept.at > MEANT) {
        this.outbox.delete(id);
        this.heard({ t: "error", d: { code: "", ref: id, text: "It was not sent: the connection was away for too long." } });
      } else this.socket.send(kept.text);
    }
  }

  closed({ code }) {
    this.socket = null;
    if (this.over) return;
    if (code === 1009) this.outbox.clear();
    this.lost(CLOSES[code] ?? BY_NAME[this.last?.code], this.last?.text ?? "");
  }

  /** Come back in a while, or not: that depends on why, on how long nobody has answered, and on the share's end. */
  lost(why, told) {
    const now = Date.now();
    if (!why && now > this.expires) why = BY_NAME.EXPIRED;
    if (why?.again === "no") {
      this.over = true;
      this.moved({ is: "over", code: why.name, title: why.title, text: why.text, told });
      return;
    }
    if (why) this.lostAt = 0;
    else if (now - (this.lostAt ||= now) > PATIENCE) {
      this.silent = true;
      this.moved({ is: "silent" });
      return;
    }
    const backoff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.tries) * (0.5 + Math.random() / 2);
    const least = { after: why?.name === "UNAVAILABLE" ? 800 : 3000 }[why?.again] ?? 0;
    const wait = why?.again === "yes" ? 100 + backoff / 4 : Math.max(least, backoff);
    this.tries += 1;
    this.moved({ is: "offline", code: why?.name ?? "", title: why?.title ?? "", text: why?.text ?? "", told, at: now + wait });
    this.timer = setTimeout(() => this.open(), wait);
  }
}
