// pictures.mjs: after the build, put each widget's first picture into its page, so that it is there
// before, and without, any script in the reader's browser.   node pictures.mjs HTML_FOLDER
//
// The picture is drawn by the widget's own view from the answer that Python computed.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, dirname } from "node:path";
import { pathToFileURL } from "node:url";

const root = process.argv[2];
const tags = (html, kind) => [...html.matchAll(new RegExp(`<script type="application/vnd\\.jupyter\\.widget-${kind}\\+json">(.*?)</script>`, "gs"))];
const pages = readdirSync(root, { recursive: true }).filter((file) => file.endsWith(".html"));
let drawn = 0;

for (const page of pages) {
  const path = join(root, page), html = readFileSync(path, "utf8"), views = tags(html, "view");
  if (!views.length || html.includes("v2g-host")) continue;
  const states = Object.assign({}, ...tags(html, "state").map(([, json]) => JSON.parse(json).state));
  const parts = new Map();
  for (const [tag, json] of views) {
    const id = JSON.parse(json).model_id, traits = states[id]?.state;
    if (!traits?.view) throw new Error(`${page}: the widget ${id} left no state; run the build again from scratch (make clean)`);
    const file = join(root, "_static", "views", `${traits.view}.mjs`), { still, view } = await import(pathToFileURL(file));
    const version = createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 8);
    const url = `${relative(dirname(path), file).replaceAll("\\", "/")}?v=${version}`;
    parts.set(tag, `<div class="v2g-host" data-model="${id}" data-view="${url}">${still(view, traits, "en")}</div>${tag}`);
    drawn += 1;
  }
  writeFileSync(path, html.replace(new RegExp(`<script type="application/vnd\\.jupyter\\.widget-view\\+json">.*?</script>`, "gs"), (tag) => parts.get(tag)));
}
console.log(`${drawn} first pictures drawn into ${pages.length} pages`);
