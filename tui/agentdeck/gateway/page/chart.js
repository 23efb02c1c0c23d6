// The chart of a session's usage: tokens and cost as they grew, and below them how full the context was; and the same
// numbers as a table, for everybody who would rather read.

import { draw, find, make, painter, say, show } from "./dom.js";
import { clock, dollars, exact, moment, short } from "./words.js";

const TIMES = 17;
const GAP = 8;

/** The points of the server, and what is true now as the last one. */
export function points(session) {
  const { usage, data } = session;
  const last = usage.at(-1);
  const now = data?.ended ?? session.now();
  if (!data || data.tokens === null || data.tokens === undefined) return usage;
  if (last && (data.tokens < last[1] || now <= last[0])) return usage;
  return [...usage, [now, data.tokens, data.cost_usd, data.context_used ?? last?.[3] ?? null]];
}

/** What a point says, in words. */
const told = ([, tokens, cost, context], session) => [
  `${exact(tokens)} tokens`,
  cost === null ? "cost not known" : `${session.data?.unpriced ? "at least " : ""}${dollars(cost)}`,
  context === null ? "context not known" : `context ${share(context, session)}`,
];

const share = (context, { data }) =>
  data?.context_window ? `${Math.round((100 * context) / data.context_window)} %` : short(context);

export function chart(session) {
  const place = find("#chart");
  let drawn = null;
  const paint = painter(() => {
    drawn = picture(place, points(session), session);
    read(null);
    if (find("#table-dialog").open) table(session);
  });
  const read = (at) => {
    const point = drawn && at !== null ? drawn.near(at) : null;
    const line = find(".cross", place);
    if (line) line.setAttribute("transform", `translate(${point ? drawn.x(point[0]).toFixed(1) : -9} 0)`);
    say(find("#chart-read"), point ? [moment(point[0], session.now()), ...told(point, session)].join(" · ") : drawn?.says ?? "");
  };
  place.addEventListener("pointermove", (event) => read(event.clientX - place.getBoundingClientRect().left));
  place.addEventListener("pointerleave", () => read(null));
  session.on("data usage", paint);
  new ResizeObserver(paint).observe(place);
  find("#chart-table").addEventListener("click", () => {
    table(session);
    find("#table-dialog").showModal();
  });
}

function picture(place, all, session) {
  const { data } = session;
  const { width, height } = place.getBoundingClientRect();
  show(find("#chart-table"), all.length > 0);
  if (width < 40 || height < 40) return null;
  if (all.length < 2) {
    const tokens = data?.tokens;
    const text = all.length ? `${exact(all[0][1])} tokens in one answer so far. The chart begins with the next.`
      : tokens === null || tokens === undefined ? "This agent has told no tokens yet." : "How they grew is not known yet.";
    place.replaceChildren(make("p", { class: "nothing" }, text));
    return null;
  }
  const [from, to] = [all[0][0], all.at(-1)[0]];
  const x = (at) => ((at - from) / Math.max(1, to - from)) * width;
  const bottom = height - TIMES;
  const middle = Math.round(bottom * 0.68);
  const window = data?.context_window || Math.max(1, ...all.map((point) => point[3] ?? 0));
  const [most, dearest] = [all.at(-1)[1] || 1, all.at(-1)[2] || 0];
  const path = (value, least, room) => {
    let d = "";
    for (const point of all) {
      const part = value(point);
      if (part !== null) d += `${d ? (room ? "H" : "L") : "M"}${x(point[0]).toFixed(1)}${room && d ? "V" : " "}${(least - part * (room || middle - 6)).toFixed(1)}`;
    }
    return d;
  };
  const tokens = path((point) => point[1] / most, middle, 0);
  const cost = dearest ? path((point) => (point[2] === null ? null : point[2] / dearest), middle, 0) : "";
  const fullest = Math.max(...all.map((point) => point[3] ?? 0)) / window;
  const scale = [0.1, 0.25, 0.5].find((part) => fullest <= part) ?? 1;
  const context = path((point) => (point[3] === null ? null : Math.min(1, point[3] / window / scale)), bottom, bottom - middle - GAP);
  const begin = (d) => d.slice(1, d.search(/[ ]/));
  const filled = (d, least) => d && `${d}V${least}H${begin(d)}Z`;
  const text = (at, anchor, words) => draw("text", { x: at, y: height - 4, "text-anchor": anchor }, words);
  const last = all.at(-1);
  const says = told(last, session).join(" · ");
  place.replaceChildren(draw(
    "svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": `Usage from ${moment(from, session.now())} to ${moment(to, session.now())}: ${says}. All numbers are in the table.` },
    draw("path", { class: "area", d: filled(tokens, middle) }),
    draw("path", { class: "tokens", d: tokens }),
    cost && draw("path", { class: "cost", d: cost }),
    draw("line", { class: "ground", x1: 0, x2: width, y1: middle + 0.5, y2: middle + 0.5 }),
    context && draw("path", { class: "context", d: filled(context, bottom) }),
    draw("line", { class: "ground", x1: 0, x2: width, y1: bottom + 0.5, y2: bottom + 0.5 }),
    draw("line", { class: "cross", x1: 0, x2: 0, y1: 0, y2: bottom, transform: "translate(-9 0)" }),
    context && data?.context_window && draw("text", { x: 2, y: middle + GAP + 5, "text-anchor": "start" }, `${scale * 100} %`),
    text(0, "start", moment(from, session.now())),
    text(width, "end", clock(to)),
  ));
  const near = (px) => all.reduce((best, point) => (Math.abs(x(point[0]) - px) < Math.abs(x(best[0]) - px) ? point : best));
  return { x, near, says: "" };
}

function table(session) {
  const { usage } = session;
  const all = points(session);
  const same = all.length > usage.length && all.at(-1)[1] === usage.at(-1)?.[1]; // nothing since the last one
  const rows = (same ? usage : all).map((point) => {
    const [at, tokens, cost, context] = point;
    const cells = [exact(tokens), dollars(cost), context === null ? "–" : exact(context), context === null ? "–" : share(context, session)];
    return make("tr", {}, make("th", { scope: "row" }, moment(at, session.now())), ...cells.map((cell) => make("td", {}, cell)));
  });
  find("#table-rows").replaceChildren(...rows.reverse());
  say(find("#table-note"), session.data?.unpriced
    ? "Some tokens have no known price: the cost is at least this. “–” is not known."
    : "Sums since the session began, at list prices. “–” is not known.");
}
