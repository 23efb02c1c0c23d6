// xterm.js writes its styles as <style> elements and style attributes, which would need 'unsafe-inline'. The same rules
// as adopted sheets and through the CSSOM need nothing: so our policy for styles has no exception.

/** Stands where a <style> element would: what is written into it becomes a sheet of the document. */
function sheetHolder(holder) {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  holder.hidden = true;
  Object.defineProperty(holder, "textContent", { get: () => "", set: (rules) => sheet.replaceSync(rules) });
  return holder;
}

const createElement = document.createElement.bind(document);
document.createElement = (name, ...more) => (name === "style" ? sheetHolder(createElement("span")) : createElement(name, ...more));

const setAttribute = Element.prototype.setAttribute;
HTMLElement.prototype.setAttribute = function set(name, value) {
  if (name === "style") this.style.cssText = value;
  else setAttribute.call(this, name, value);
};
