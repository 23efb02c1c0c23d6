// Long lists: lines in the order of the log, of which only those near where somebody reads are in the document.

import { keep, painter, say, show } from "./dom.js";

const DRAWN = 120;
const STEP = 60;
const NEAR = 240;

/** Lines, the oldest first, numbered so that a number stays with its line whatever comes before or goes. */
export class Lines {
  constructor(most) {
    this.most = most;
    this.clear();
  }

  clear() {
    this.all = [];
    this.known = new Map();
    this.first = 0;
    /** Of the log: what we have begins here. */
    this.before = 0;
    this.more = false;
    /** Somebody reads old ones: none is dropped meanwhile. */
    this.held = false;
  }

  get end() {
    return this.first + this.all.length;
  }

  at(number) {
    return this.all[number - this.first];
  }

  /** The newest line; one that was told before changes where it stands. */
  add(line) {
    const known = this.known.get(line.key);
    line.told = line.seq;
    if (known) Object.assign(known, line, { seq: known.seq });
    else {
      this.known.set(line.key, line);
      this.all.push(line);
      if (this.all.length > this.most && !this.held) this.drop(this.all.length - this.most + Math.floor(this.most / 10));
    }
  }

  /** What came before all that is here, the oldest first. A line belongs where it was told first, as told last. */
  addOlder(lines) {
    const older = [];
    for (const line of lines) {
      const known = this.known.get(line.key);
      line.told = line.seq;
      if (!known) {
        this.known.set(line.key, line);
        older.push(line);
        continue;
      }
      if (line.told > known.told) Object.assign(known, line, { seq: known.seq });
      if (line.seq < known.seq) {
        this.all.splice(this.all.indexOf(known), 1);
        known.seq = line.seq;
        older.push(known);
      }
    }
    this.all = [...older, ...this.all];
    this.first -= older.length;
  }

  drop(count) {
    for (const line of this.all.splice(0, count)) this.known.delete(line.key);
    this.first += count;
    this.before = this.all[0].seq;
    this.more = true;
  }
}

/**
 * Draw `lines` into `list` and follow the newest until somebody scrolls away. `draw(line, before)` makes a row as `keep`
 * wants it, `tail()` more of them for the end. `load()` fetches older lines; `older` and `newest` are buttons for that.
 * Returns what is to be called when something has changed.
 */
export function roll(list, { lines, draw, tail = () => [], load, older, newest }) {
  let [top, end, last] = [0, 0, 0];
  let held = true;
  let loading = false;

  const tall = () => list.scrollHeight > list.clientHeight + 40;
  const buttons = () => {
    show(newest, !held && (end < lines.end || tall()));
    show(older, (lines.more || top > lines.first) && list.scrollTop < NEAR && list.clientHeight > 0);
    lines.held = !held;
  };
  const place = () => {
    last = lines.end;
    if (held) end = last;
    end = Math.min(Math.max(end, lines.first), lines.end);
    top = Math.max(lines.first, held ? end - DRAWN : Math.min(top, end), end - 2 * DRAWN);
  };
  const draws = () => {
    place();
    const rows = [];
    for (let n = top; n < end; n += 1) rows.push(draw(lines.at(n), lines.at(n - 1)));
    if (end === lines.end) rows.push(...tail());
    const anchor = held ? null : [...list.children].find((row) => row.offsetTop + row.offsetHeight > list.scrollTop);
    const stood = anchor ? anchor.offsetTop - list.scrollTop : 0;
    const key = anchor?.dataset.key;
    keep(list, rows);
    if (held) list.scrollTop = list.scrollHeight;
    else if (key !== undefined) {
      const now = anchor.isConnected ? anchor : [...list.children].find((row) => row.dataset.key === key);
      if (now) list.scrollTop = now.offsetTop - stood;
    }
    buttons();
  };
  const paint = painter(draws);

  const further = async () => {
    if (loading) return;
    held = false;
    if (top <= lines.first && lines.more) {
      loading = true;
      list.setAttribute("aria-busy", "true");
      say(older, "Loading…");
      try {
        await load();
      } catch { /* the button stays */ } finally {
        loading = false;
        list.removeAttribute("aria-busy");
        say(older, "↑ Older");
      }
    }
    if (held || top <= lines.first) return buttons();
    top = Math.max(lines.first, top - STEP);
    end = Math.min(end, top + 2 * DRAWN);
    paint();
  };
  const nearer = () => {
    end = Math.min(lines.end, end + STEP);
    top = Math.max(top, end - 2 * DRAWN);
    paint();
  };
  list.addEventListener("scroll", () => {
    const left = list.scrollHeight - list.scrollTop - list.clientHeight;
    held = end >= last && left < 40;
    if (!held && list.scrollTop < NEAR) further();
    else if (left < NEAR && end < lines.end) nearer();
    buttons();
  });
  older.addEventListener("click", async () => {
    await further();
    list.scrollTop = 0;
    list.focus({ preventScroll: true });
  });
  newest.addEventListener("click", () => {
    held = true;
    draws();
    list.focus({ preventScroll: true });
  });
  new ResizeObserver(() => held && draws()).observe(list);
  return paint;
}
