// The terminal: rows of a redacted screen, drawn by xterm.js. Nothing that a program wrote reaches it as it was:
// every row is made anew from text without controls and from parameters of SGR, which are numbers.

import { find, painter, say } from "./dom.js";
import "./styles.js";
import { UnicodeGraphemesAddon } from "./vendor/addon-unicode-graphemes.mjs";
import { Terminal } from "./vendor/xterm.mjs";

const FONT = 'ui-monospace, "JetBrains Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';
const LARGEST_FIT = 17;
const LARGEST = 32;
const SMALLEST = 4;
const READABLE = 7.5;
const COMFORTABLE = 11;
const STYLE = /^[0-9;:]{0,64}$/;
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const TEXT_EVERY = 1000;

export const COLOURS = {
  dark: {
    background: "#11131a", foreground: "#c7cbd6", cursor: "#7aa2f7", cursorAccent: "#11131a",
    selectionBackground: "#272d40", black: "#1d2029", red: "#f7768e", green: "#9ece6a", yellow: "#e0af68",
    blue: "#7aa2f7", magenta: "#bb9af7", cyan: "#7dcfff", white: "#c7cbd6", brightBlack: "#5a6275",
    brightRed: "#ff8fa3", brightGreen: "#b5e07f", brightYellow: "#f0c486", brightBlue: "#98b8ff",
    brightMagenta: "#cdb2ff", brightCyan: "#9edcff", brightWhite: "#eceef4",
  },
  light: {
    background: "#faf8f3", foreground: "#2b2f38", cursor: "#1f5fc4", cursorAccent: "#faf8f3",
    selectionBackground: "#dfe3ee", black: "#2b2f38", red: "#b3203c", green: "#2f6b1c", yellow: "#7e5200",
    blue: "#1f5fc4", magenta: "#7040b8", cyan: "#00667f", white: "#6d7078", brightBlack: "#575c68",
    brightRed: "#c42a48", brightGreen: "#3a7a24", brightYellow: "#8d5f06", brightBlue: "#2f6fd6",
    brightMagenta: "#8150c8", brightCyan: "#08758f", brightWhite: "#1a1d24",
  },
};

export class Screen {
  /** `resync()` asks for the whole screen; `typed(text)` gets what is typed while `typing(true)`. */
  constructor(root, { resync, typed }) {
    this.view = find(".screen-view", root);
    this.place = find(".screen-place", root);
    this.text = find(".screen-text", root);
    this.empty = find(".screen-empty", root);
    this.resync = resync;
    this.rows = [];
    this.dirty = new Set();
    this.tseq = 0;
    this.asked = false;
    this.size = [80, 24];
    this.cursor = [0, 0, false];
    this.zoom = "fit";
    this.told = 0;
    this.term = new Terminal({
      allowProposedApi: true, cols: 80, rows: 24, convertEol: false, cursorBlink: false, disableStdin: true,
      fontFamily: FONT, fontSize: 12, minimumContrastRatio: 4.5, scrollback: 0, screenReaderMode: false,
      cursorInactiveStyle: "outline", drawBoldTextInBrightColors: false, logLevel: "off",
    });
    this.term.loadAddon(new UnicodeGraphemesAddon());
    this.term.unicode.activeVersion = "15-graphemes";
    this.term.open(this.place);
    this.term.write("\x1b[?7l");
    this.term.onData(typed);
    this.paint = painter(() => this.draw());
    this.fit = painter(() => this.measure());
    this.typing(false);
    this.away = false;
    this.handle();
    new ResizeObserver(this.fit).observe(this.view);
    document.fonts?.ready.then(this.fit);
  }

  colours(theme) {
    this.term.options.theme = COLOURS[theme];
  }

  forget() {
    this.tseq = 0;
    this.asked = false;
  }

  /** Take a `screen` in, if it fits what is here. */
  take(screen) {
    if (!screen) return;
    if (!screen.full && screen.from !== this.tseq) {
      if (screen.tseq > this.tseq && !this.asked) {
        this.asked = true;
        this.resync();
      }
      return;
    }
    const { cols, rows } = screen;
    if (screen.full) {
      this.asked = false;
      this.rows = Array.from({ length: rows }, () => []);
      for (let y = 0; y < rows; y += 1) this.dirty.add(y);
    }
    if (cols !== this.size[0] || rows !== this.size[1]) {
      this.size = [cols, rows];
      this.fit();
    }
    for (const [y, runs] of screen.lines) {
      this.rows[y] = runs;
      this.dirty.add(y);
    }
    this.cursor = screen.cursor;
    this.tseq = screen.tseq;
    this.empty.hidden = true;
    this.place.hidden = false;
    this.paint();
  }

  draw() {
    const [cols, rows] = this.size;
    if (this.term.cols !== cols || this.term.rows !== rows) {
      this.term.resize(Math.max(2, cols), Math.max(1, rows));
      this.fit();
    }
    const parts = ["\x1b[?2026h\x1b[?25l"];
    for (const y of this.dirty) {
      if (y >= rows) continue;
      parts.push(`\x1b[${y + 1};1H\x1b[0m\x1b[2K`);
      for (const [text, style] of this.rows[y] ?? []) {
        parts.push(`\x1b[0;${STYLE.test(style) ? style : ""}m`, text.replace(UNSEEN, ""));
      }
    }
    const [x, y, visible] = this.cursor;
    parts.push(`\x1b[0m\x1b[${y + 1};${x + 1}H`, visible ? "\x1b[?25h" : "", "\x1b[?2026l");
    this.dirty.clear();
    this.term.write(parts.join(""), () => this.follow());
    this.describe();
  }

  get lines() {
    return this.rows.map((runs) => runs.map(([text]) => text.replace(UNSEEN, "")).join("").trimEnd());
  }

  /** The same as text, for those who do not see it: at most once a second. */
  describe() {
    if (this.waits) return;
    this.waits = setTimeout(() => {
      this.waits = 0;
      say(this.text, this.lines.join("\n").trimEnd());
    }, TEXT_EVERY);
  }

  // ── size ────────────────────────────────────────────────────────────────────────────────────

  /** Choose the size of the letters: all of the owner's screen in what room there is, or as large as was asked for. */
  measure() {
    const room = this.view.getBoundingClientRect();
    const drawn = find(".xterm-screen", this.place).getBoundingClientRect();
    if (!room.width || !drawn.width || this.place.hidden) return;
    const now = this.term.options.fontSize;
    const wide = (now * (room.width - 18)) / drawn.width;
    const high = (now * (room.height - 14)) / drawn.height;
    const whole = Math.min(wide, high, LARGEST_FIT);
    const small = whole < READABLE;
    this.fitted = small ? Math.max(whole, Math.min(wide, LARGEST_FIT) >= READABLE ? wide : COMFORTABLE) : whole;
    const wanted = this.zoom === "fit" ? this.fitted : this.zoom;
    const size = Math.max(4, Math.floor(wanted * 4) / 4);
    if (this.zoom === "fit" ? this.settled(size, now, room) : size === now) return this.follow();
    this.term.options.fontSize = size;
    this.fit();
  }

  /** Cells have whole pixels, so sizes jump: one that was too large in this room is not tried again. */
  settled(size, now, room) {
    const place = `${room.width} ${room.height} ${this.size}`;
    if (place !== this.fittedIn) this.tooLarge = Infinity;
    this.fittedIn = place;
    if (size < now) this.tooLarge = now;
    return size === now || (size > now && (size < now + 0.5 || size >= this.tooLarge));
  }

  /** In a view that shows only a part: keep the cursor's row in it, until somebody looks elsewhere. */
  follow() {
    if (this.away || this.view.scrollHeight <= this.view.clientHeight + 1) return;
    const [top, high] = this.cursorRow();
    const { scrollTop, clientHeight } = this.view;
    if (top < scrollTop || top + high > scrollTop + clientHeight) this.view.scrollTop = top + 3 * high - clientHeight;
  }

  /** Where one looks: at the cursor, and where there is none at the last row that is not empty. */
  cursorRow() {
    const high = this.place.offsetHeight / this.size[1];
    const row = this.cursor[2] ? this.cursor[1] : Math.max(0, this.rows.findLastIndex((runs) => runs.some(([text]) => text.trim())));
    return [this.place.offsetTop + row * high, high];
  }

  /** What people do to see another part of it: scroll, drag, and two fingers for the size. */
  handle() {
    const looks = () => { this.away = true; };
    for (const act of ["wheel", "touchmove", "keydown"]) this.view.addEventListener(act, looks, { passive: true });
    this.view.addEventListener("scroll", () => {
      const [top, high] = this.cursorRow();
      if (top >= this.view.scrollTop && top + high <= this.view.scrollTop + this.view.clientHeight) this.away = false;
    });
    let from = null;
    const apart = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    this.view.addEventListener("touchstart", ({ touches }) => {
      from = touches.length === 2 ? { apart: apart(touches), size: this.term.options.fontSize } : null;
    }, { passive: true });
    this.view.addEventListener("touchmove", (event) => {
      if (!from || event.touches.length !== 2) return;
      event.preventDefault();
      this.scale((from.size * apart(event.touches)) / from.apart);
    }, { passive: false });
  }

  /** Letters of this size, with the middle of what is seen still in the middle. */
  scale(size) {
    const { view } = this;
    const middle = ["Width", "Height"].map((side) => (view[`scroll${side === "Width" ? "Left" : "Top"}`] + view[`client${side}`] / 2) / view[`scroll${side}`]);
    this.zoom = Math.min(LARGEST, Math.max(SMALLEST, Math.round(size * 4) / 4));
    this.term.options.fontSize = this.zoom;
    requestAnimationFrame(() => {
      view.scrollLeft = middle[0] * view.scrollWidth - view.clientWidth / 2;
      view.scrollTop = middle[1] * view.scrollHeight - view.clientHeight / 2;
    });
  }

  larger(step) {
    const now = this.term.options.fontSize;
    if (step) this.scale(Math.round(now) + step);
    else {
      this.zoom = "fit";
      this.away = false;
    }
    this.fit();
  }

  // ── hands ───────────────────────────────────────────────────────────────────────────────────

  typing(on) {
    this.term.options.disableStdin = !on;
    const input = this.term.textarea;
    input.tabIndex = on ? 0 : -1;
    input.setAttribute("aria-label", on ? "Terminal input" : "Terminal, only to look at");
    if (on) this.term.focus();
    else this.term.blur();
  }

  /** Keys that end the typing instead of being sent: nobody may be caught in here. */
  leaveWith(test, leave) {
    this.term.attachCustomKeyEventHandler((event) => {
      if (event.type !== "keydown" || !test(event)) return true;
      event.preventDefault();
      leave();
      return false;
    });
  }
}

