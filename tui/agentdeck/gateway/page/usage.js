// Figures, the chart of tokens, the health and what it is made of.

import { draw, find, keep, make, painter, say } from "./dom.js";
import { clock, dollars, exact, plain, short, span } from "./words.js";

const BARS = 28;
const FACTORS = { tokens: "room left", duration: "fresh", activity: "active", errors: "no failures" };
const GRADES = { healthy: "healthy", warning: "needs an eye", critical: "in trouble" };

export function usage(session) {
  const paint = painter(() => figures(session));
  session.on("data", paint);
  setInterval(() => document.visibilityState === "visible" && paint(), 1000);
  const chart = painter(() => drawChart(session));
  session.on("feed data", chart);
  new ResizeObserver(chart).observe(find("#chart"));
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
  figure("duration", data.started ? span(lasted) : "–", data.started ? `since ${clock(data.started)}` : "not known");
  figure("work", `${short(data.tools)}`, `tools · ${data.errors} failed`);
  figure("lines", `+${short(data.added)}`, `−${short(data.removed)} · ${data.files} files`);
  say(find("#doing"), data.doing ? `${plain(data.doing)}${data.doing_since ? ` · ${span(now - data.doing_since)}` : ""}` : "");
}

function figure(name, value, note, precise = null) {
  const place = find(`[data-figure=${name}]`);
  say(find("dd", place), value);
  say(find(".aside", place), note);
  if (precise) find("dd", place).title = exact(precise);
}

// ── the chart ──────────────────────────────────────────────────────────────────────────────────

/** Tokens that the agent wrote, by time: bars of equal spans, and their sum. */
export function buckets(lines, count) {
  const counted = lines.filter((line) => line.tokens > 0).sort((one, other) => one.at - other.at);
  if (!counted.length) return null;
  const from = counted[0].at;
  const each = Math.max(1, (counted.at(-1).at - from) / count);
  const bars = new Array(count).fill(0);
  for (const { at, tokens } of counted) bars[Math.min(count - 1, Math.floor((at - from) / each))] += tokens;
  return { from, to: from + each * count, bars, sum: bars.reduce((sum, bar) => sum + bar, 0) };
}

function drawChart(session) {
  const place = find("#chart");
  const { width, height } = place.getBoundingClientRect();
  if (width < 40 || height < 30) return;
  const found = buckets([...session.feed.values()], BARS);
  place.classList.toggle("empty", !found);
  if (!found) {
    place.replaceChildren(make("p", { class: "nothing" }, "Tokens appear here as the agent writes."));
    return;
  }
  const { from, to, bars, sum } = found;
  const [bottom, top] = [height - 16, 14];
  const most = Math.max(...bars);
  const wide = width / BARS;
  let running = 0;
  const line = [`M0 ${bottom}`];
  const shapes = bars.map((tokens, n) => {
    running += tokens;
    line.push(`L${((n + 1) * wide).toFixed(1)} ${(bottom - (running / sum) * (bottom - top)).toFixed(1)}`);
    const tall = tokens ? Math.max(2, (tokens / most) * (bottom - top)) : 0;
    return draw(
      "rect", { class: "bar", x: (n * wide + 1).toFixed(1), width: Math.max(1, wide - 2).toFixed(1), rx: 1.5,
        y: (bottom - tall).toFixed(1), height: tall.toFixed(1) },
      draw("title", {}, `${clock(from + (n * (to - from)) / BARS)}: ${exact(tokens)} tokens`),
    );
  });
  const text = (x, y, anchor, words) => draw("text", { x, y, "text-anchor": anchor }, words);
  const label = `Tokens written from ${clock(from)} to ${clock(to)}: ${exact(sum)} in all, at most ${exact(most)} at once.`;
  place.replaceChildren(
    draw(
      "svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
      draw("line", { class: "ground", x1: 0, x2: width, y1: bottom + 0.5, y2: bottom + 0.5 }),
      ...shapes,
      draw("path", { class: "area", d: `${line.join(" ")} L${width} ${bottom} Z` }),
      draw("path", { class: "sum", d: line.join(" ") }),
      text(0, height - 3, "start", clock(from)),
      text(width, height - 3, "end", clock(to)),
      text(width, 9, "end", `${short(sum)} written`),
    ),
  );
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
}

function factor(name, value) {
  const words = FACTORS[name] ?? name;
  const well = Math.round(value * 100);
  return make(
    "li", { "data-level": well >= 70 ? "well" : well >= 40 ? "fair" : "bad" },
    make("span", { id: `factor-${name}` }, words),
    make("meter", { min: 0, max: 100, value: well, "aria-labelledby": `factor-${name}` }),
    make("span", { class: "number" }, String(well)),
  );
}
