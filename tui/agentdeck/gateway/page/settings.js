// What somebody likes: colours and single-key shortcuts; kept in this browser only.

import { find, say } from "./dom.js";

function kept(name, fallback) {
  try {
    return localStorage.getItem(`agentdeck:${name}`) ?? fallback;
  } catch {
    return fallback;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`agentdeck:${name}`, value);
  } catch { /* then it is only for this time */ }
}

export const settings = { kept, keep };

const THEMES = ["auto", "dark", "light"];
const WORDS = { auto: "as the system", dark: "dark", light: "light" };

/** `changed(theme)` gets dark or light, now and whenever it changes. */
export function themes(changed) {
  const system = matchMedia("(prefers-color-scheme: light)");
  const button = find("#theme");
  let wish = kept("theme", "auto");
  const apply = () => {
    const theme = wish === "auto" ? (system.matches ? "light" : "dark") : wish;
    document.documentElement.dataset.theme = theme;
    say(find(".unseen", button), `Colours: ${WORDS[wish]}`);
    button.dataset.wish = wish;
    button.title = `Colours: ${WORDS[wish]}`;
    changed(theme);
  };
  const next = () => {
    wish = THEMES[(THEMES.indexOf(wish) + 1) % THEMES.length];
    keep("theme", wish);
    apply();
  };
  button.addEventListener("click", next);
  system.addEventListener("change", apply);
  apply();
  return next;
}

/** Single keys that do something while nobody types. `table` maps a key to what it does. */
export function shortcuts(table) {
  const choice = find("#shortcuts-on");
  choice.checked = kept("shortcuts", "on") === "on";
  choice.addEventListener("change", () => keep("shortcuts", choice.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !choice.checked || find("dialog[open]")) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    const act = table[event.key];
    if (!act || document.body.dataset.view !== "session") return;
    event.preventDefault();
    act();
  });
}
