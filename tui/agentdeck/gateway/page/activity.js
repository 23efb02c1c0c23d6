// What the agent did, and the files that it touched.

import { find, keep, make, painter, say, show } from "./dom.js";
import { roll } from "./roll.js";
import { STATES, clock, day, moment, plain, short, span } from "./words.js";

const SHAPES = {
  session_start: "▸", session_resume: "▸", session_end: "■", message: "›", tool_use: "⚙", tool_result: "⚙",
  agent_spawn: "⑂", compaction: "⇣", summarization: "⇣", context_growth: "⇡", error: "✕", turn_end: "◇", status: "·",
};

export function activity(session) {
  const nothing = find("#feed-nothing");
  const paint = roll(find("#feed"), {
    lines: session.feed,
    load: () => session.older("feed"),
    older: find("#feed-older"),
    newest: find("#feed-newest"),
    draw: (line, before) => {
      const today = day(line.at);
      const another = before ? day(before.at) !== today : today !== day(session.now());
      return [line.key, `${line.status}${line.seconds}${line.text}${another}`, () => row(line, another && today)];
    },
  });
  session.on("feed", paint);
  session.on("feed", () => show(nothing, !session.feed.all.length));
}

function row(line, today) {
  const date = today && make("p", { class: "day" }, today);
  if (line.kind === "status") {
    const [shape, word] = STATES[line.title] ?? STATES.unknown;
    return make(
      "li", { class: "event turn", "data-state": line.title },
      date,
      make("time", {}, clock(line.at)),
      make("span", {}, make("b", { "aria-hidden": "true" }, shape), ` ${word}`),
      line.text && make("span", { class: "quiet" }, plain(line.text)),
    );
  }
  const pending = line.status === "pending";
  const failed = line.status === "error";
  return make(
    "li", { class: "event", "data-kind": line.kind, "data-status": line.status },
    date,
    make("time", {}, clock(line.at)),
    make("span", { class: "shape", "aria-hidden": "true" }, failed ? "✕" : pending ? "◐" : SHAPES[line.kind] ?? "·"),
    make(
      "div", { class: "what" },
      make("span", { class: "title" }, plain(line.title), failed && make("span", { class: "unseen" }, " failed")),
      line.agent && make("span", { class: "tag" }, "sub-agent"),
      " ",
      make("span", { class: "said" }, plain(line.text)),
    ),
    make("span", { class: "extent" }, ...extent(line, pending)),
  );
}

function extent(line, pending) {
  const parts = [];
  if (line.added || line.removed) parts.push(...changed(line));
  if (line.tokens) parts.push(make("span", {}, `${short(line.tokens)} tok`));
  if (pending) parts.push(make("span", {}, "running"));
  else if (line.seconds >= 0.5) parts.push(make("span", {}, span(line.seconds)));
  return parts;
}

function changed({ added, removed }) {
  return [
    added ? make("span", { class: "added" }, `+${added}`) : null,
    removed ? make("span", { class: "removed" }, `−${removed}`) : null,
  ];
}

export function files(session) {
  const list = find("#files");
  const nothing = find("#files-nothing");
  const paint = painter(() => {
    const newest = [...session.files].reverse();
    keep(list, newest.map((file) => [file.path, JSON.stringify(file), () => touched(file, session.now())]));
    show(nothing, !newest.length);
    say(find("#files-count"), newest.length ? String(newest.length) : "");
  });
  session.on("files", paint);
}

function touched(file, now) {
  const path = plain(file.path);
  const cut = path.lastIndexOf("/") + 1;
  const [first, last] = [file.first || file.at, file.at].map((at) => at && moment(at, now));
  return make(
    "li", { class: "file" },
    make("p", { class: "path" }, make("span", { class: "quiet" }, path.slice(0, cut)), make("b", {}, path.slice(cut))),
    make("p", { class: "extent" }, ...changed(file), !file.added && !file.removed && make("span", {}, "lines not told")),
    make(
      "p", { class: "times" }, file.times === 1 ? "touched once" : `touched ${file.times} times`,
      last && (first === last ? [", ", make("time", {}, last)] : [", first ", make("time", {}, first), ", last ", make("time", {}, last)]),
    ),
  );
}
