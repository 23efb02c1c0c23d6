// What things are called: ends, states, roles, figures. Nothing here touches the document.

/** By close code: the name in the protocol, whether to come back, and a sentence for people. */
export const CLOSES = {
  4000: { name: "ENDED", again: "no", title: "The share has ended", text: "Its owner has stopped sharing this session, or the session is over." },
  4400: { name: "BAD_MESSAGE", again: "no", title: "The connection was refused", text: "This page and the server do not understand each other. Reload the page to get its newest version." },
  4401: { name: "UNAUTHENTICATED", again: "no", title: "Please join again", text: "Your place here is not known any more. Open the link that you were given once more." },
  4403: { name: "FORBIDDEN", again: "no", title: "You were not let in", text: "The owner has declined, or this page may not be used from here." },
  4404: { name: "NO_SUCH_SHARE", again: "no", title: "There is nothing here", text: "No such share exists, or the link is not complete. Ask its owner for the link again." },
  4407: { name: "NOT_APPROVED", again: "after", title: "The owner has not let you in yet", text: "You will be asked to wait again." },
  4408: { name: "SLOW_CONSUMER", again: "yes", title: "Catching up", text: "More has happened than came through. Coming back with the newest." },
  4409: { name: "DUPLICATE", again: "yes", title: "Something was sent twice", text: "Coming back." },
  4410: { name: "REVOKED", again: "no", title: "Your access was withdrawn", text: "The owner has ended your visit. If that was a mistake, ask for a new link." },
  4411: { name: "EXPIRED", again: "no", title: "The time is over", text: "A link, and a share, last until a time that the owner has set. Ask for a new link." },
  4413: { name: "TOO_LARGE", again: "no", title: "A message was too large", text: "Reload the page, and send less at once." },
  4429: { name: "RATE_LIMITED", again: "after", title: "Too many tries", text: "A short wait, then the next one." },
  4430: { name: "FULL", again: "after", title: "There is no place left", text: "As many as allowed are here." },
  4503: { name: "UNAVAILABLE", again: "after", title: "The owner is offline", text: "The machine that shares this session does not answer." },
};

export const BY_NAME = Object.fromEntries(Object.values(CLOSES).map((each) => [each.name, each]));

/** By state of the agent: a shape beside the colour, and a word. */
export const STATES = {
  starting: ["◌", "starting"],
  working: ["◐", "working"],
  needs_you: ["▲", "needs its owner"],
  done: ["✓", "done"],
  idle: ["○", "idle"],
  limited: ["◆", "at its limit"],
  exited: ["■", "exited"],
  error: ["✕", "error"],
  unknown: ["?", "unknown"],
};

export const ROLES = ["observer", "commenter", "driver", "owner"];

const RIGHTS = [
  ["observer", "watch the terminal, the activity and the figures"],
  ["commenter", "chat with everybody here"],
  ["driver", "add prompts to the queue, take yours back"],
  ["driver", "interrupt the agent and let the queue go on"],
];

export const atLeast = (role, least) => ROLES.indexOf(role) >= ROLES.indexOf(least);

/** What a role may do: pairs of a sentence and whether it holds. */
export function rights(role, hands) {
  const may = RIGHTS.map(([least, text]) => [text, atLeast(role, least)]);
  return [...may, ["type into the terminal", role === "owner" || (role === "driver" && hands)]];
}

/** What the server says in the middle of a sentence, as one of its own. */
export const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, "")}.` : "");

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** 950 · 12.3k · 1.2M */
export function short(number) {
  if (number === null || number === undefined) return "–";
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= size) return `${(number / size).toFixed(number >= 100 * size ? 0 : 1)}${letter}`;
  }
  return String(Math.round(number));
}

export const exact = (number) => number.toLocaleString("en");

export function dollars(amount) {
  if (amount === null || amount === undefined) return "–";
  return `$${amount.toFixed(amount < 0.1 && amount > 0 ? 4 : 2)}`;
}

/** 42 s · 12 min · 1 h 05 */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, "0")}` : `${Math.floor(hours / 24)} days`;
}

const two = (number) => String(number).padStart(2, "0");

export function clock(unix) {
  const at = new Date(unix * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** A time that goes on: 0:42 · 12:05 · 1:05:09 */
export function running(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

export const day = (unix) => new Date(unix * 1000).toLocaleDateString("en", { weekday: "long", day: "numeric", month: "long" });

/** A time of today, or one with its day. */
export const moment = (unix, now) => (day(unix) === day(now) ? clock(unix)
  : `${new Date(unix * 1000).toLocaleDateString("en", { day: "numeric", month: "short" })} ${clock(unix)}`);

// Controls, and marks that change the direction of what follows: a name must not reorder the words around it.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export const plain = (text) => String(text ?? "").replace(UNSEEN, "");

const ADJECTIVES = ["Quiet", "Amber", "Brisk", "Calm", "Clever", "Early", "Gentle", "Misty", "Nimble", "Sunny"];
const ANIMALS = ["Heron", "Otter", "Badger", "Finch", "Hare", "Lynx", "Marten", "Robin", "Tern", "Wren"];

export function someName() {
  const pick = (words) => words[crypto.getRandomValues(new Uint32Array(1))[0] % words.length];
  return `${pick(ADJECTIVES)} ${pick(ANIMALS)}`;
}
