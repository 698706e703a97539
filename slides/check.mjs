// check.mjs [--pictures DIRECTORY]: whether the slides that were built can be shown.
//
// Every step of every slide is looked at, in 1280 × 720; the commands in the notes are
// typed in the shells.  Prints TAP.  With --pictures, each step is a picture there.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser, PRINTED } from './browser.mjs';

const BUILT = 'build/slides';
const MINUTES = 42, MINUTES_OFF = 1, SMALLEST_FONT = 19, MOST_LINES = 16, LEAST_CONTRAST = 4.5;
const pictures = process.argv[2] === '--pictures' && process.argv[3];

let n = 0;
function ok(isOk, what, ...details) {
  console.log(`${isOk ? 'ok' : 'not ok'} ${++n} - ${what}`);
  if (!isOk) for (const detail of details.flat()) console.log(`#   ${detail}`);
}

// Runs in the page: what is wrong with a slide, as it is shown in that frame.
function lookAt(slide, frame, smallestFont, leastContrast, mostLines) {
  const wrong = [];
  const road = slide.querySelector('.road').getBoundingClientRect();
  const name = element => `<${element.tagName.toLowerCase()}> "${element.textContent.trim().slice(0, 40)}"`;
  const isShown = element => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });

  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const colour = text => (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const isSolid = text => text !== 'transparent' && (colour(text)[3] ?? 1) === 1;
  function background(element) {
    for (let e = element; e && e !== document.body; e = e.parentElement) {
      const text = getComputedStyle(e).backgroundColor;
      if (isSolid(text)) return colour(text);
      if (e === slide) {
        const behind = getComputedStyle(slide.parentElement.querySelector(':scope > .slide-background')
          ?? Reveal.getSlideBackground(slide)).backgroundColor;
        if (isSolid(behind)) return colour(behind);
      }
    }
    return colour(getComputedStyle(document.querySelector('.reveal-viewport')).backgroundColor);
  }
  function contrast(element) {
    const style = getComputedStyle(element);
    const a = luminance(colour(element instanceof SVGElement ? style.fill : style.color));
    let b = background(element);
    if (element instanceof SVGElement) {
      const shape = element.parentElement.querySelector('path, polygon');
      const fill = shape && getComputedStyle(shape).fill;
      if (fill && fill !== 'none' && !element.closest('.edge')) b = colour(fill);
    }
    b = luminance(b);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }

  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('aside') || !isShown(element)) continue;
    const style = getComputedStyle(element);
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    if (box.left < frame.left || box.top < frame.top
        || box.right > frame.right || box.bottom > frame.bottom)
      wrong.push(`${name(element)} is outside`);
    else if (!element.closest('.road') && box.bottom > road.top)
      wrong.push(`${name(element)} is over the foot`);
    const scale = element instanceof SVGElement ? element.getScreenCTM().a : 1;
    const size = parseFloat(style.fontSize) * scale;
    if (size < smallestFont) wrong.push(`${name(element)} has ${size.toFixed(1)} px`);
    if (!element.closest('tr:not(.highlight-line)') && contrast(element) < leastContrast)
      wrong.push(`${name(element)} has a contrast of ${contrast(element).toFixed(1)}`);
    for (let e = element; e && e !== slide; e = e.parentElement) {
      const outer = e.getBoundingClientRect();
      if (['PRE', 'TD', 'TH'].includes(e.tagName)
          && (box.right > outer.right + 1 || box.bottom > outer.bottom + 1))
        wrong.push(`${name(element)} is cut by <${e.tagName.toLowerCase()}>`);
    }
    // Text in a picture stays in its box.
    const shape = element.closest('.node')?.querySelector('path, polygon')?.getBoundingClientRect();
    if (shape && (box.left < shape.left - 1 || box.right > shape.right + 1))
      wrong.push(`${name(element)} is wider than its box`);
  }
  const nLines = [...slide.querySelectorAll('pre > code:first-of-type')]
    .map(code => code.querySelectorAll('tr').length || code.textContent.split('\n').length)
    .reduce((sum, n) => sum + n, 0);
  if (nLines > mostLines) wrong.push(`${nLines} lines of code are too many`);
  for (const e of slide.querySelectorAll('pre, code, table, .picture'))
    if (!e.closest('aside') && isShown(e)
        && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1))
      wrong.push(`${name(e)} overflows`);
  return [...new Set(wrong)].map(text => `${slide.id}: ${text}`);
}

// Runs in the page: what the slides say of themselves.
function readSlides() {
  return Reveal.getSlides().map(slide => ({
    id: slide.id,
    part: slide.querySelector('.road .here').textContent,
    seconds: Number(slide.dataset.timing),
    notes: slide.querySelector('aside.notes')?.textContent ?? '',
    nClicks: slide.querySelectorAll('.fragment').length,
    commands: [...slide.querySelectorAll('aside.notes pre.shell')].map(pre => ({
      version: pre.dataset.version, fails: pre.dataset.fails, lines: pre.textContent.split('\n')
    }))
  }));
}

const LIMITS = [SMALLEST_FONT, LEAST_CONTRAST, MOST_LINES].join(', ');

// A slide fills its page.
async function lookAtPages(page) {
  const browser = await Browser.open(pathToFileURL(page).href + '?print-pdf');
  try {
    await browser.evaluate(PRINTED);
    return await browser.evaluate(`[...document.querySelectorAll('.pdf-page')].flatMap(page => {
      const slide = page.querySelector('section');
      const frame = page.getBoundingClientRect(), box = slide.getBoundingClientRect();
      return [...(${lookAt})(slide, frame, ${LIMITS}),
        ...['left', 'top', 'right', 'bottom'].filter(side => Math.abs(frame[side] - box[side]) > 2)
          .map(side => slide.id + ': not the ' + side + ' of its page')];
    })`);
  } finally {
    await browser.close();
  }
}

async function lookAtAll(browser) {
  const wrong = [];
  let nSteps = 0, shown;
  do {
    shown = await browser.evaluate('JSON.stringify(Reveal.getState())');
    await browser.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))');
    wrong.push(...await browser.evaluate(`(${lookAt})(Reveal.getCurrentSlide(),
      { left: 0, top: 0, right: 1280, bottom: 720 }, ${LIMITS})`));
    if (pictures)
      writeFileSync(`${pictures}/${String(nSteps).padStart(3, '0')}.png`, await browser.picture());
    nSteps++;
    await browser.evaluate('Reveal.next()');
  } while (shown !== await browser.evaluate('JSON.stringify(Reveal.getState())'));
  return { wrong, nSteps };
}

function countPages(pdf) {
  const text = execFileSync('pdfinfo', [`${BUILT}/${pdf}`], { encoding: 'utf8' });
  return Number(text.match(/^Pages: *(\d+)/m)[1]);
}

// A script ends with its first error; so what is to fail is tried after all before it.
function tryCommands(version, blocks) {
  const wrong = [], before = [];
  const type = lines => spawnSync(`${version.split(' ')[0]}/shell`,
    { input: lines.map(line => `${line}\nsleep 200\n`).join(''), encoding: 'utf8', timeout: 120000 });
  for (const { fails, lines } of blocks) {
    if (fails === undefined) { before.push(...lines); continue; }
    const last = lines.at(-1), { status, stderr } = type([...before, ...lines]);
    before.push(...lines.slice(0, -1));
    const said = stderr.trim().split('\n').at(-1);
    if (status !== 1 || !said.includes(fails))
      wrong.push(`"${last}" should fail, "${fails}": ${said}`);
  }
  const { status, stderr } = type(before);
  if (status !== 0) {
    const line = stderr.match(/line (\d+)/);
    wrong.push(`"${line ? before[(line[1] - 1) >> 1] : '?'}": ${stderr.trim()}`);
  }
  return wrong;
}

// README.md's timing plan, and what it should say.
function comparePlan(slides) {
  const wrong = [], readme = readFileSync('slides/README.md', 'utf8');
  let from = 0;
  for (const part of new Set(slides.map(slide => slide.part))) {
    const those = slides.filter(slide => slide.part === part);
    const to = from + those.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
    const row = `| ${part} | ${from} – ${to} | ${those.length} |`;
    if (!readme.includes(row)) wrong.push(`should be: ${row}`);
    from = to;
  }
  return wrong;
}

// Builds a slide: it ends when there is something in it that is not there (any more).
function build(markdown) {
  const input = `# A slide {part="why"}\n\n${markdown}\n\n::: {.notes minutes=1}\n:::\n`;
  return spawnSync('pandoc', ['--to', 'revealjs', '--slide-level', '1',
    '--lua-filter', 'slides/deck.lua'], { input, encoding: 'utf8' });
}
const code = attributes => `\`\`\`{${attributes}}\n\`\`\``;
const FINE = code('.region of="v1/pool_server.c lend" steps="consumer = consumer"');
const WRONG = {
  'a region': code('.region of="v1/pool_server.c nowhere"'),
  'a text': code('.region of="v1/pool_server.c lend" steps="nowhere"'),
  'a difference': code('.difference from="v2/pool_server.c lend" to="v2/pool_server.c lend"'),
  'a block of a kind': '```{.nowhere}\nnothing\n```',
  'a figure': '[]{.bench row="nowhere" column="v4"}',
  'a row of figures': '```{.bench}\nnowhere\n```'
};

// What there is to see, and what the slides say of themselves.
async function look(page) {
  const browser = await Browser.open(pathToFileURL(page).href);
  try {
    const seen = await lookAtAll(browser);
    const slides = await browser.evaluate(`(${readSlides})()`);
    const others = browser.requests.filter(url => !/^(data|blob):/.test(url)
      && url.split('#')[0] !== pathToFileURL(page).href);
    return { ...seen, slides, others, complaints: browser.complaints };
  } finally {
    await browser.close();
  }
}

if (pictures) mkdirSync(pictures, { recursive: true });
const { wrong, nSteps, slides, others, complaints } = await look(resolve(`${BUILT}/deck.html`));
ok(wrong.length === 0, `all is seen, and large enough, in ${nSteps} steps of ${slides.length} slides`, wrong);
ok(complaints.length === 0, 'the browser does not complain', complaints);
ok(others.length === 0, 'nothing is asked for but the file itself', others);
const nPages = countPages('deck.pdf'), nSheets = countPages('cheatsheet.pdf');
ok(nPages === nSteps, 'the PDF has a page for each step', `${nPages} pages, ${nSteps} steps`);
const misplaced = await lookAtPages(resolve(`${BUILT}/deck.html`));
ok(misplaced.length === 0, 'they look as on the screen', misplaced);
ok(nSheets === 2, 'the cheat sheet has two pages', `it has ${nSheets}`);

const silent = slides.filter(({ notes }) => !/Say\./.test(notes) || !/Asked\./.test(notes));
ok(silent.length === 0, 'every slide has notes: what to say, and what will be asked',
  silent.map(({ id }) => id));
const unclear = slides.filter(({ notes, nClicks }) => nClicks > 0
  && (notes.match(/\(\d\)/g) ?? []).join() !== Array.from({ length: nClicks }, (_, i) => `(${i + 1})`).join());
ok(unclear.length === 0, 'the notes say where to click', unclear.map(({ id, nClicks }) => `${id}: ${nClicks} times`));
const minutes = slides.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
ok(Math.abs(minutes - MINUTES) <= MINUTES_OFF, `the talk takes ${MINUTES} minutes, more or less`,
  `it takes ${minutes}`);
const plan = comparePlan(slides);
ok(plan.length === 0, "README's timing plan is the slides'", plan);

const fine = build(FINE);
ok(fine.status === 0, 'what is there can be shown', fine.stderr);
for (const [what, markdown] of Object.entries(WRONG)) {
  const { status, stderr } = build(markdown);
  ok(status !== 0 && stderr.startsWith('slides: '), `${what} that is not there ends the build`, stderr);
}

const blocks = slides.flatMap(({ commands }) => commands);
for (const version of [...new Set(blocks.map(block => block.version))].sort()) {
  const what = `what the notes say to type works in ${version}`;
  const failed = tryCommands(version, blocks.filter(block => block.version === version));
  ok(failed.length === 0, what, failed);
}
console.log(`1..${n}`);
