// print.mjs PAGE.html PAGE.pdf [MORE]: prints a page; of slides, each step.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser, PRINTED } from './browser.mjs';

const [page, pdf, more = ''] = process.argv.slice(2);
const browser = await Browser.open(pathToFileURL(resolve(page)) + '?print-pdf' + more);
try {
  await browser.evaluate(PRINTED);
  writeFileSync(pdf, await browser.pdf());
} finally {
  await browser.close();
}
