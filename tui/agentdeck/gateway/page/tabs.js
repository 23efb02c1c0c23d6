// Tabs as the pattern wants them (arrows move, one stop for Tab), and the four regions that a phone shows one at a time.

import { find, say, show } from "./dom.js";

const unread = new Map();

/** Returns `open(name)`, which also brings the region of that tab into view. */
export function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const region = list.closest("section").id;
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const open = (tab, focus = false) => {
    for (const each of all) {
      const on = each === tab;
      each.setAttribute("aria-selected", String(on));
      each.tabIndex = on ? 0 : -1;
      show(panel(each), on);
    }
    if (focus) tab.focus();
    seen();
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) open(tab);
  });
  list.addEventListener("keydown", (event) => {
    const at = all.indexOf(document.activeElement);
    const step = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (step === undefined || at < 0) return;
    event.preventDefault();
    open(all[(step + all.length) % all.length], true);
  });
  open(all[0]);
  return (name) => {
    const tab = all.find((each) => each.dataset.tab === name);
    if (!tab) return false;
    go(region);
    open(tab);
    return true;
  };
}

/** Show a region: on a phone the others go away. */
export function go(region) {
  document.body.dataset.region = region;
  for (const button of document.querySelectorAll("#regions [data-region]")) {
    const on = button.dataset.region === region;
    if (on) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  seen();
}

export function regions() {
  find("#regions").addEventListener("click", (event) => {
    const button = event.target.closest("[data-region]");
    if (button) go(button.dataset.region);
  });
  document.addEventListener("visibilitychange", seen);
  go("terminal");
}

const inSight = (name) => {
  const panel = document.getElementById(`panel-${name}`);
  return document.visibilityState === "visible" && panel.offsetParent !== null;
};

/** Something new is in a tab: count it until somebody looks. */
export function badge(name) {
  if (inSight(name)) return;
  unread.set(name, (unread.get(name) ?? 0) + 1);
  mark();
}

function seen() {
  for (const name of unread.keys()) if (inSight(name)) unread.delete(name);
  mark();
}

function mark() {
  const count = unread.get("chat") ?? 0;
  for (const place of document.querySelectorAll("[data-unread=chat]")) {
    say(place, count ? String(count) : "");
    place.title = count ? `${count} unread` : "";
  }
}
