// For those who listen: a few sentences, never a flood. What happens within some seconds becomes one sentence.

import { find } from "./dom.js";
import { STATES, plain, plural } from "./words.js";

const EVERY = 5000;

export function announcer(session) {
  const place = find("#announcer");
  let events = 0;
  let newest = "";
  let words = [];
  let timer = 0;

  const speak = () => {
    timer = 0;
    const sentences = [...words];
    if (events) sentences.push(`${plural(events, "new event")}, the latest: ${newest}`);
    words = [];
    events = 0;
    if (sentences.length) {
      place.textContent = sentences.slice(-3).join(". ");
      timer = setTimeout(speak, EVERY);
    }
  };
  const soon = () => {
    if (!timer) timer = setTimeout(speak, 400);
  };
  const tell = (sentence) => {
    words.push(sentence);
    soon();
  };
  session.on("status", (message) => message && session.isNews(message) && tell(`The agent is ${(STATES[message.d.state] ?? STATES.unknown)[1]}`));
  session.on("feed", (message) => {
    if (!message || !session.isNews(message)) return;
    events += 1;
    newest = plain(`${message.d.title} ${message.d.text}`).slice(0, 80);
    soon();
  });
  session.on("me", (message) => message && tell(`You are ${message.d.role} now`));
  return tell;
}
