// The way in and the way out: the name, the typed code, the wait for the owner, and the last words.

import { Refused, join, joinByCode, me } from "./connection.js";
import { find, say, show } from "./dom.js";
import { settings } from "./settings.js";
import { BY_NAME, plain, sentence, someName } from "./words.js";

const AT = "agentdeck:at:";

/**
 * In which shares somebody has a place in this browser, under which name and until when. No secret: what lets them in
 * is a cookie that scripts cannot read, and whoever has it is told the rest. So a reload and other tabs just go on.
 */
export const place = {
  read(share) {
    try {
      const known = JSON.parse(localStorage.getItem(AT + share));
      return known?.until > Date.now() / 1000 ? known : null;
    } catch {
      return { name: "" }; // nothing can be kept here: then the server is asked
    }
  },
  write(share, known) {
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith(AT)) place.read(key.slice(AT.length)) ?? localStorage.removeItem(key);
      localStorage.setItem(AT + share, JSON.stringify(known));
    } catch { /* see above */ }
  },
  forget(share) {
    try {
      localStorage.removeItem(AT + share);
    } catch { /* nothing was kept */ }
  },
};

export function card(name, { title = "", text = "" } = {}) {
  const shown = find(`#enter [data-card=${name}]`);
  const another = document.body.dataset.view !== "enter" || shown.hidden;
  document.body.dataset.view = "enter";
  for (const each of document.querySelectorAll("#enter .card > [data-card]")) show(each, each.dataset.card === name);
  show(find("#enter"), true);
  show(find("#session"), false);
  show(find(".skip"), false);
  if (title) say(find("h1", shown), title);
  if (text) say(find(".text", shown), text);
  document.title = `${find("h1", shown).textContent} · agentdeck`;
  if (another) (find("input", shown) ?? find("h1", shown)).focus();
}

export function problem(form, text) {
  say(find(".problem", form), text);
}

const words = (error) => {
  if (!(error instanceof Refused)) return "The server cannot be reached. Is the link still good, and are you online?";
  const known = BY_NAME[error.code];
  const wait = error.retryAfter ? ` Try again in ${Math.ceil(error.retryAfter)} s.` : "";
  const text = error.code === "FULL" ? sentence(error.message) : known?.text;
  return known ? `${known.title}. ${text}${wait}` : error.message;
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
export function way(enter) {
  const offered = settings.kept("name", "") || someName();
  for (const field of document.querySelectorAll("#enter input[name=name]")) field.value = offered;
  const joined = (share, told) => {
    settings.keep("name", told.name);
    place.write(share, { name: told.name, until: told.expires_at });
    history.replaceState(null, "", `/s/${encodeURIComponent(share)}`);
    enter(share, told.csrf);
  };
  const share = decodeURIComponent(location.pathname.match(/^\/s\/([^/]+)$/)?.[1] ?? "");
  byCode(joined);
  if (!share) return card("code");
  const secret = location.hash.slice(1).split(".")[0]; // what follows is for programs: the certificate's fingerprint
  const known = place.read(share);
  if (known && !secret) return enter(share, "");
  if (!secret) {
    return card("message", {
      title: "This link is not complete",
      text: "The part after # is missing: it is the key. Open the whole link that you were given, or type a code.",
    });
  }
  byLink(share, secret, known, joined, enter);
  return card("name");
}

function byLink(share, secret, known, joined, enter) {
  const form = find("#enter-name");
  ask(form, async () => joined(share, await join(share, secret, find("input", form).value.trim())));
  const again = find("#enter-again");
  show(again, Boolean(known?.name));
  if (!known?.name) return;
  say(again, `Go on as ${plain(known.name)}`);
  again.addEventListener("click", async () => {
    try {
      const { csrf } = await me(share);
      history.replaceState(null, "", location.pathname);
      enter(share, csrf);
    } catch (error) {
      problem(form, error.code === "UNAUTHENTICATED" ? "Your place here is gone. Please join anew." : words(error));
      show(again, error.code !== "UNAUTHENTICATED");
    }
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
