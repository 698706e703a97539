// A headless Chromium that shows one page, and is spoken to through a pipe.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LIMIT_MS = 180000 * (process.env.LIMIT || 1);
// The page is our own: it may be shown where there is no sandbox, as in a container.
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
  '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage', '--hide-scrollbars', '--remote-debugging-pipe'];

// To be waited for: slides are on their pages.  Another page need not be.
export const PRINTED = `new Promise(resolve =>
  !window.Reveal || document.querySelector('.pdf-page') ? resolve()
                                                        : Reveal.on('pdf-ready', resolve))`;

export class Browser {
  // Goes to `url`, and keeps what it complains of and whom it asks.
  static async open(url, width = 1280, height = 720) {
    const browser = new Browser();
    try {
      await browser.show(url, width, height);
    } catch (error) {
      await browser.close();
      throw error;
    }
    return browser;
  }

  async show(url, width, height) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    this.session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network'])
      await this.send(`${domain}.enable`);
    await this.send('Emulation.setDeviceMetricsOverride',
      { width, height, deviceScaleFactor: 1, mobile: false });
    await Promise.all([this.wait('Page.loadEventFired'), this.send('Page.navigate', { url })]);
    await this.evaluate('document.fonts.ready.then(() => true)');
  }

  constructor() {
    this.complaints = [];
    this.requests = [];
    this.answers = new Map();
    this.waiting = new Map();
    this.n = 0;
    this.directory = mkdtempSync(join(tmpdir(), 'slides-'));
    this.chromium = spawn('chromium', [...FLAGS, `--user-data-dir=${this.directory}`],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
    let said = '', text = '';
    this.chromium.stderr.setEncoding('utf8').on('data', part => {
      said = (said + part).slice(-2000);
    });
    // After the exit: when all that it said is read.
    this.chromium.once('close', (code, signal) =>
      this.giveUp(new Error(`chromium has ended, with ${signal ?? code}: ${said.trim()}`)));
    // Its end says more than that it doesn't read or write any more.
    for (const pipe of this.chromium.stdio.slice(3)) pipe.on('error', () => {});
    this.chromium.stdio[4].setEncoding('utf8').on('data', part => {
      const messages = (text + part).split('\0');
      text = messages.pop();
      for (const message of messages) this.hear(JSON.parse(message));
    });
    this.limit = setTimeout(() => {
      console.error('chromium does not answer in time');
      this.close().then(() => process.exit(1));
    }, LIMIT_MS);
  }

  // Nothing more will be heard.
  giveUp(error) {
    this.error = error;
    for (const { reject } of [...this.answers.values(), ...this.waiting.values()]) reject(error);
  }

  hear({ id, result, error, method, params }) {
    if (id) {
      const { resolve, reject } = this.answers.get(id);
      this.answers.delete(id);
      return error ? reject(new Error(error.message)) : resolve(result);
    }
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
    if (method === 'Runtime.exceptionThrown')
      this.complaints.push(params.exceptionDetails.exception?.description
        ?? params.exceptionDetails.text);
    if (method === 'Runtime.consoleAPICalled' && ['error', 'warning'].includes(params.type))
      this.complaints.push(params.args.map(arg => arg.value ?? arg.description).join(' '));
    if (method === 'Log.entryAdded') this.complaints.push(params.entry.text);
    this.waiting.get(method)?.resolve(params);
  }

  send(method, params = {}) {
    if (this.error) return Promise.reject(this.error);
    const id = ++this.n;
    this.chromium.stdio[3].write(
      JSON.stringify({ id, method, params, sessionId: this.session }) + '\0');
    return new Promise((resolve, reject) => this.answers.set(id, { resolve, reject }));
  }

  wait(method) {
    return new Promise((resolve, reject) => this.waiting.set(method, { resolve, reject }));
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async picture() {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data, 'base64');
  }

  async pdf() {
    const { data } = await this.send('Page.printToPDF',
      { printBackground: true, preferCSSPageSize: true });
    return Buffer.from(data, 'base64');
  }

  async close() {
    clearTimeout(this.limit);
    if (this.chromium.exitCode === null && this.chromium.signalCode === null) {
      const closed = new Promise(resolve => this.chromium.once('exit', resolve));
      this.session = undefined;
      this.send('Browser.close').catch(() => {});
      await closed;
    }
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
