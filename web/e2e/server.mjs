// The real program, fed by its own venue server: started on a free loopback port with a data folder of its own, stopped by its id.
// It serves its own embedded page; nothing stands between it and the browser.
// BAROGRAPH_BIN says which program; BAROGRAPH_URL names one that runs already, and then nothing is started or killed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const READY_WITHIN_MS = Number(process.env.READY_WITHIN_MS ?? 90_000);

async function freePort() {
  const probe = createServer();
  await new Promise((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

export const external = process.env.BAROGRAPH_URL;

function program() {
  const bin = process.env.BAROGRAPH_BIN;
  if (!bin) throw new Error('BAROGRAPH_BIN names the program to test, as in BAROGRAPH_BIN=../target/release/barograph npm run e2e');
  return resolve(bin);
}

/** Settings come from the test alone: the program refuses variables it does not know, BAROGRAPH_BIN among them. */
function environment(more = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('BAROGRAPH_'));
  return { ...Object.fromEntries(kept), ...more };
}

/** A receiver of alerts that says yes and remembers what it was told. */
export class Receiver {
  taken = [];
  /** What it answers from now on. */
  status = 200;
  #web = createHttpServer((request, reply) => {
    let body = '';
    request.on('data', (text) => (body += text));
    request.on('end', () => {
      this.taken.push({ id: request.headers['webhook-id'], body: JSON.parse(body) });
      reply.writeHead(this.status).end();
    });
  });

  async start() {
    await new Promise((done) => this.#web.listen(0, '127.0.0.1', done));
  }

  table() {
    const { port } = this.#web.address();
    return `[[receiver]]\nname = "desk"\nformat = "json"\nurl = "http://127.0.0.1:${port}/hook"\nallow_http = true\nallow_private = ["127.0.0.1/32:${port}"]\n`;
  }

  stop() {
    this.#web.closeAllConnections();
    this.#web.close();
  }
}

export class Server {
  #child = null;
  #folder = external ? null : mkdtempSync(join(tmpdir(), 'barograph-e2e-'));
  #data;
  #log = '';
  #command;
  #settings;
  url = external ?? '';

  /** `command` is `demo`, or `serve` for what another server (`over`) stores; `settings` are lines of barograph.toml. */
  constructor({ command = 'demo', settings = () => '', over = null } = {}) {
    this.#data = over === null ? this.#folder : over.#data;
    this.#command = command;
    this.#settings = settings;
  }

  async start() {
    if (external) return;
    const bin = program();
    const config = this.#config();
    const port = this.url === '' ? await freePort() : Number(new URL(this.url).port);
    this.url = `http://127.0.0.1:${port}`;
    const child = spawn(bin, [this.#command, '--listen', `127.0.0.1:${port}`, '--data', this.#data, '--config', config], {
      cwd: this.#folder,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (text) => (this.#log += text));
    child.stderr.on('data', (text) => (this.#log += text));
    this.#child = child;
    await this.#ready();
  }

  async #ready() {
    const until = Date.now() + READY_WITHIN_MS;
    while (Date.now() < until) {
      if (this.#child.exitCode !== null) throw new Error(`barograph ended with ${this.#child.exitCode}:\n${this.#log.slice(-2000)}`);
      if (this.#command === 'serve' && (await fetch(`${this.url}/healthz`).then((r) => r.ok, () => false))) return;
      // One that starts again serves what it stored before it listens.
      const listens = await fetch(`${this.url}/api/v1/feeds`).then((r) => r.ok, () => false);
      const board = await fetch(`${this.url}/api/v1/board`).then((r) => (r.ok ? r.json() : null), () => null);
      if (listens && board?.rows.some((row) => row.instrument.includes('M0001USDT'))) return;
      await new Promise((done) => setTimeout(done, 200));
    }
    throw new Error(`barograph shows no live market after ${READY_WITHIN_MS / 1000} s:\n${this.#log.slice(-2000)}`);
  }

  #config() {
    const config = join(this.#folder, 'test.toml');
    writeFileSync(config, this.#settings());
    return config;
  }

  /** Puts lines of JSON into a file of the data folder, as another process would. */
  put(file, lines) {
    const path = join(this.#data, file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  /** Where a file of the data folder lies. */
  place(file) {
    return join(this.#data, file);
  }

  /** Text of a file of the data folder; null where there is none. */
  kept(file) {
    const path = join(this.#data, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  }

  /** Runs a command of the program over the same data folder; its standard output. */
  run(...args) {
    const done = spawnSync(program(), [...args, '--data', this.#data], { cwd: this.#folder, env: environment(), encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`barograph ${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
    return done.stdout.trim();
  }

  /** As the power cord does it. */
  async kill() {
    const child = this.#child;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
    this.#child = null;
  }

  async stop() {
    if (this.#child && this.#child.exitCode === null) {
      const gone = new Promise((done) => this.#child.once('exit', done));
      this.#child.kill('SIGTERM');
      const late = setTimeout(() => this.#child?.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    }
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Registers a position; its id. */
  async register(position) {
    const reply = await this.#write('POST', '/api/v1/positions', position);
    return (await reply.json()).position.id;
  }

  /** Silences alerts; the id of the silence. */
  async silence(matchers, duration) {
    const reply = await this.#write('POST', '/api/v1/silences', { matchers, author: 'ann', reason: 'a test', duration });
    return (await reply.json()).silence.id;
  }

  async endSilence(id) {
    await this.#write('DELETE', `/api/v1/silences/${id}`);
  }

  async #write(method, path, body) {
    const headers = { 'content-type': 'application/json', 'x-barograph': '1' };
    const reply = await fetch(this.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!reply.ok) throw new Error(`${method} ${path} was refused with ${reply.status}: ${await reply.text()}`);
    return reply;
  }

  /** An answer to a question that is sent. */
  async ask(path, body) {
    return (await this.#write('POST', path, body)).json();
  }

  async get(path) {
    const reply = await fetch(this.url + path);
    if (!reply.ok) throw new Error(`${path} answered ${reply.status}: ${await reply.text()}`);
    return reply.json();
  }
}
