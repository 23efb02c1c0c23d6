// The way in and the way out: the name, the typed code, the wait for the owner, and the last words.

import { Refused, join, joinByCode, me } from "./connection.js";
import { find, say, show } from "./dom.js";
import { settings } from "./settings.js";
import { BY_NAME, plain, someName } from "./words.js";

const ASK_OTHERS = 150;

/** What this tab knows about its place in a share: it survives a reload, not the tab. */
export const place = {
  read(share) {
    try {
      return JSON.parse(sessionStorage.getItem(`agentdeck:${share}`));
    } catch {
      return null;
    }
  },
  write(share, known) {
    try {
      sessionStorage.setItem(`agentdeck:${share}`, JSON.stringify(known));
    } catch { /* then a reload has to join anew */ }
  },
  forget(share) {
    try {
      sessionStorage.removeItem(`agentdeck:${share}`);
    } catch { /* nothing was kept */ }
  },
};

/** Two tabs of one person are one person: ask the others whether somebody has joined already. */
function fromOtherTab(share) {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(`agentdeck:${share}`);
    const done = (known) => {
      clearTimeout(timer);
      channel.close();
      resolve(known);
    };
    const timer = setTimeout(() => done(null), ASK_OTHERS);
    channel.addEventListener("message", ({ data }) => data?.csrf && done(data));
    channel.postMessage("?");
  });
}

export function answerOtherTabs(share) {
  const channel = new BroadcastChannel(`agentdeck:${share}`);
  channel.addEventListener("message", ({ data }) => {
    const known = place.read(share);
    if (data === "?" && known?.csrf) channel.postMessage(known);
  });
}

export function card(name, { title = "", text = "", busy = false } = {}) {
  document.body.dataset.view = "enter";
  for (const each of document.querySelectorAll("#enter .card > [data-card]")) show(each, each.dataset.card === name);
  show(find("#enter"), true);
  show(find("#session"), false);
  show(find(".skip"), false);
  const shown = find(`#enter [data-card=${name}]`);
  if (title) say(find("h1", shown), title);
  if (text) say(find(".text", shown), text);
  shown.dataset.busy = String(busy);
  document.title = `${find("h1", shown).textContent} · agentdeck`;
  (find("input", shown) ?? find("h1", shown)).focus();
}

export function problem(form, text) {
  say(find(".problem", form), text);
}

const words = (error) => {
  if (!(error instanceof Refused)) return "The server cannot be reached. Is the link still good, and are you online?";
  const known = BY_NAME[error.code];
  const wait = error.retryAfter ? ` Try again in ${Math.ceil(error.retryAfter)} s.` : "";
  return known ? `${known.title}. ${known.text}${wait}` : error.message;
};

function ask(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter ?? find("button[type=submit]", form);
    problem(form, "");
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      problem(form, words(error));
    } finally {
      button.disabled = false;
    }
  });
}

/** Find out who we are, ask what is needed, and call `enter(share, csrf)`. */
export async function way(enter) {
  const offered = settings.kept("name", "") || someName();
  for (const field of document.querySelectorAll("#enter input[name=name]")) field.value = offered;
  const joined = (share, told) => {
    settings.keep("name", told.name);
    place.write(share, { csrf: told.csrf, name: told.name });
    history.replaceState(null, "", `/s/${encodeURIComponent(share)}`);
    enter(share, told.csrf);
  };
  const share = decodeURIComponent(location.pathname.match(/^\/s\/([^/]+)$/)?.[1] ?? "");
  byCode(joined);
  if (!share) return card("code");
  const secret = location.hash.slice(1);
  const known = await knownPlace(share);
  if (known && !secret) return enter(share, known.csrf);
  if (!secret) {
    return card("message", {
      title: "This link is not complete",
      text: "The part after # is missing: it is the key. Open the whole link that you were given, or type a code.",
    });
  }
  byLink(share, secret, known, joined, enter);
  return card("name");
}

async function knownPlace(share) {
  const known = place.read(share) ?? (await fromOtherTab(share));
  if (!known?.csrf) return null;
  try {
    await me(share);
  } catch (error) {
    if (error instanceof Refused && error.code !== "NOT_APPROVED") {
      place.forget(share);
      return null;
    }
  }
  place.write(share, known);
  return known;
}

function byLink(share, secret, known, joined, enter) {
  const form = find("#enter-name");
  ask(form, async () => joined(share, await join(share, secret, find("input", form).value.trim())));
  const again = find("#enter-again");
  show(again, Boolean(known));
  if (!known) return;
  say(again, `Go on as ${plain(known.name)}`);
  again.addEventListener("click", () => {
    history.replaceState(null, "", location.pathname);
    enter(share, known.csrf);
  });
}

function byCode(joined) {
  const form = find("#enter-code");
  ask(form, async () => {
    const code = find("input[name=code]", form).value.trim();
    const told = await joinByCode(code, find("input[name=name]", form).value.trim());
    joined(told.share, told);
  });
}
