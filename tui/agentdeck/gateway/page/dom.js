// Elements, made without ever parsing markup: whatever people or agents wrote arrives as text and stays text.

const SVG = "http://www.w3.org/2000/svg";

export const find = (selector, within = document) => within.querySelector(selector);

/** An element with attributes, listeners (`on`) and children; strings become text, null and false are left out. */
export function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function draw(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}

/** Set the text, touching the document only if it differs: screen readers and layouts notice every change. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, on) {
  if (element.hidden === on) element.hidden = !on;
}

/** Make the children of `parent` those of `wanted`, a list of [key, mark, make]: an element stays while its mark does. */
export function keep(parent, wanted) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const keys = new Set(wanted.map(([key]) => key));
  for (const [key, element] of known) if (!keys.has(key)) element.remove();
  let place = parent.firstElementChild;
  for (const [key, mark, build] of wanted) {
    let element = known.get(key);
    if (!element || element.dataset.mark !== mark) {
      const fresh = build();
      fresh.dataset.key = key;
      fresh.dataset.mark = mark;
      if (element) {
        if (element === place) place = fresh;
        element.replaceWith(fresh);
      }
      element = fresh;
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}

/** Call `paint` once in the next frame, however often it is asked for. */
export function painter(paint) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      paint();
    });
  };
}
