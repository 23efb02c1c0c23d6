// What the agent did, and the files that it touched.

import { find, keep, make, painter, say, show } from "./dom.js";
import { STATES, clock, plain, short, span } from "./words.js";

const SHAPES = {
  session_start: "▸", session_resume: "▸", session_end: "■", message: "›", tool_use: "⚙", tool_result: "⚙",
  agent_spawn: "⑂", compaction: "⇣", summarization: "⇣", context_growth: "⇡", error: "✕", turn_end: "◇", status: "·",
};
const SHOWN = 300;

/** Keep the newest line in sight, unless somebody has scrolled away to read. */
export function stick(list, button) {
  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  let held = true;
  list.addEventListener("scroll", () => {
    held = atEnd();
    if (button) show(button, !held && list.scrollHeight > list.clientHeight + 80);
  });
  const down = () => {
    held = true;
    list.scrollTop = list.scrollHeight;
    if (button) show(button, false);
  };
  button?.addEventListener("click", down);
  new ResizeObserver(() => held && down()).observe(list);
  return () => (held ? down() : button && show(button, true));
}

export function activity(session) {
  const list = find("#feed");
  const settle = stick(list, find("#feed-newest"));
  const nothing = find("#feed-nothing");
  const paint = painter(() => {
    const lines = [...session.feed.values()].slice(-SHOWN);
    keep(list, lines.map((line) => [line.key, `${line.status}${line.seconds}${line.text}`, () => row(line)]));
    show(nothing, !lines.length);
    settle();
  });
  session.on("feed", paint);
}

function row(line) {
  if (line.kind === "status") {
    const [shape, word] = STATES[line.title] ?? STATES.unknown;
    return make(
      "li", { class: "event turn", "data-state": line.title },
      make("time", {}, clock(line.at)),
      make("span", {}, make("b", { "aria-hidden": "true" }, shape), ` ${word}`),
      line.text && make("span", { class: "quiet" }, plain(line.text)),
    );
  }
  const pending = line.status === "pending";
  const failed = line.status === "error";
  return make(
    "li", { class: "event", "data-kind": line.kind, "data-status": line.status },
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
    keep(list, newest.map((file) => [file.path, JSON.stringify(file), () => touched(file)]));
    show(nothing, !newest.length);
    say(find("#files-count"), newest.length ? String(newest.length) : "");
  });
  session.on("files", paint);
}

function touched(file) {
  const path = plain(file.path);
  const cut = path.lastIndexOf("/") + 1;
  return make(
    "li", { class: "file" },
    make("span", { class: "path" }, make("span", { class: "quiet" }, path.slice(0, cut)), make("b", {}, path.slice(cut))),
    make(
      "span", { class: "extent" }, ...changed(file),
      file.times > 1 && make("span", {}, `${file.times}×`),
      file.at ? make("time", {}, clock(file.at)) : null,
    ),
  );
}
