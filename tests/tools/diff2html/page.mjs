// page.mjs TITLE: a diff on standard input as a page that needs nothing else.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import diff2html from "diff2html";

const require = createRequire(import.meta.url);
const style = readFileSync(
  require.resolve("diff2html/bundles/css/diff2html.min.css"), "utf8");
const diff = readFileSync(0, "utf8");
const title = process.argv[2];
const table = diff2html.html(diff, {
  outputFormat: "side-by-side",
  drawFileList: true,
  matching: "lines",
  colorScheme: "auto",
});

process.stdout.write(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
${style}
body { font-family: sans-serif; margin: 1rem; color-scheme: light dark; }
</style>
<h1>${title}</h1>
${table}
</html>
`);
