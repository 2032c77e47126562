// Views hold no imports, because Jupyter takes one file a widget: put together what Python would.
import { readFileSync, readdirSync } from "node:fs";

const folder = new URL("../../lib/vec2gpt/widgets/js/", import.meta.url);
const read = (file) => readFileSync(new URL(file, folder), "utf8");

const parts = ["live", "words", "layout", "controls", "kit"];  // as PARTS in live.py has them
export const names = readdirSync(new URL("views/", folder)).map((file) => file.replace(".js", ""));

/** The module of one view, as a notebook or a page loads it: live.py's `source`. */
export function load(name) {
  const own = read(`views/${name}.js`).match(/^\/\/ parts: (.+)$/m)?.[1].split(", ") ?? [];
  const code = [...parts, ...own, `views/${name}`].map((part) => read(`${part}.js`)).join("\n");
  return import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
}

/** A tensor as views see it. */
export const tensor = (dims, data) => ({ dims, data });
