// chapters.js: links from a widget into the book, for views that name chapters and papers. A page's own contents say where its
// chapters stand, so that nobody keeps that by hand; in Jupyter, where there are none, and before a chapter exists, its number is told without a link.

/** Where a page of the book stands whose name begins so, "10_" or "bibliography"; "" where the contents have none. */
export function addressOf(name, page = globalThis.VEC2GPT_PAGE && globalThis.document) {
  const links = [...(page?.querySelectorAll("nav a[href]") ?? [])].map((link) => link.getAttribute("href"));
  return links.find((href) => /^[^#?]+\.html$/.test(href) && href.split("/").at(-1).startsWith(name)) ?? "";
}

const linked = (address, text) => (address ? `<a href="${esc(address)}">${esc(text)}</a>` : esc(text));

/** A chapter, and a link to it where there is one. */
export const chapterHTML = (number, text, page) => linked(addressOf(`${String(number).padStart(2, "0")}_`, page), text);

/** A paper, and a link to its place in the bibliography. */
export function paperHTML(key, by, page) {
  const address = addressOf("bibliography", page);
  return linked(address && `${address}#${key}`, by);
}
