// Figures, and the health with what it is made of.

import { find, keep, make, painter, say } from "./dom.js";
import { dollars, exact, moment, plain, running, short, span } from "./words.js";

/** Of each factor: its name, how much it counts, and what it says. */
const FACTORS = {
  tokens: ["room left", 40, "How far the context is from the size at which it is compacted: best below 70 %, worst when it is full."],
  duration: ["fresh", 20, "How long the conversation has gone on: best for four hours, then less and less."],
  activity: ["active", 20, "How long the agent has shown no sign of life while it should work: less after a quarter of an hour. Waiting for its owner does not count."],
  errors: ["no failures", 20, "How many of its last fifty calls failed: none is best, twenty are worst."],
};
const GRADES = { healthy: "healthy", warning: "needs an eye", critical: "in trouble" };

export function usage(session) {
  const paint = painter(() => figures(session));
  session.on("data", paint);
  setInterval(() => document.visibilityState === "visible" && paint(), 1000);
  session.on("health", painter(() => health(session.health)));
}

function figures(session) {
  const data = session.data;
  if (!data) return;
  const now = session.now();
  const since = session.total[0]?.[1] ?? 0;
  const more = (data.tokens ?? 0) - since;
  figure("tokens", short(data.tokens), more > 0 ? `+${short(more)} since you came` : "in all", data.tokens);
  figure("cost", (data.unpriced ? "≥ " : "") + dollars(data.cost_usd),
    data.burn_usd_hour ? `${dollars(data.burn_usd_hour)} an hour` : "at list prices");
  const full = data.context_pct;
  figure("context", full === null || full === undefined ? "–" : `${full} %`,
    data.context_used ? `${short(data.context_used)} of ${short(data.context_window)}` : "not known");
  find("#context-bar").value = full ?? 0;
  find("#context-bar").dataset.level = full >= 90 ? "high" : full >= 70 ? "near" : "low";
  const lasted = data.started ? (data.ended ?? now) - data.started : 0;
  figure("duration", data.started ? running(lasted) : "–",
    data.started ? `${data.ended ? `over, began ${moment(data.started, now)}` : `since ${moment(data.started, now)}`}` : "not known");
  figure("work", `${short(data.tools)}`, `calls · ${data.errors} failed`);
  figure("lines", `+${short(data.added)}`, `−${short(data.removed)} · ${data.files} files`);
  say(find("#doing"), data.doing ? `${plain(data.doing)}${data.doing_since ? ` · ${span(now - data.doing_since)}` : ""}` : "");
}

function figure(name, value, note, precise = null) {
  const place = find(`[data-figure=${name}]`);
  say(find("dd", place), value);
  say(find(".aside", place), note);
  if (precise) find("dd", place).title = exact(precise);
}

// ── health ─────────────────────────────────────────────────────────────────────────────────────

function health(told) {
  const ring = find("#health-ring");
  const score = told?.score ?? 0;
  const round = 2 * Math.PI * 15.5;
  find(".value", ring).setAttribute("stroke-dasharray", `${((score / 100) * round).toFixed(1)} ${round.toFixed(1)}`);
  const place = find("#health");
  place.dataset.grade = told?.status ?? "none";
  say(find("#health-score"), told ? String(score) : "–");
  say(find("#health-word"), told ? GRADES[told.status] ?? told.status : "not known yet");
  const factors = Object.entries(told?.factors ?? {});
  keep(find("#factors"), factors.map(([name, value]) => [name, String(value), () => factor(name, value)]));
  keep(find("#factors-told"), factors.map(([name, value]) => [name, String(value), () => explained(name, value)]));
}

function factor(name, value) {
  const [words] = FACTORS[name] ?? [name];
  const well = Math.round(value * 100);
  return make(
    "li", { "data-level": well >= 70 ? "well" : well >= 40 ? "fair" : "bad" },
    make("span", { id: `factor-${name}` }, words),
    make("meter", { min: 0, max: 100, value: well, "aria-labelledby": `factor-${name}` }),
    make("span", { class: "number" }, String(well)),
  );
}

function explained(name, value) {
  const [words, weight, why] = FACTORS[name] ?? [name, null, ""];
  return make(
    "div", {},
    make("dt", {}, words, make("span", { class: "number" }, `${Math.round(value * 100)} of 100`)),
    make("dd", {}, why, weight && make("span", { class: "quiet" }, ` Counts ${weight} %.`)),
  );
}
