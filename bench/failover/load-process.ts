// Requests at a fixed rate, each with its own outcome: `node load-process.ts PORT RATE SECONDS FILE` writes them to the file as JSON.
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { openSocket, readAnswerHead } from '../load.ts';
import { Schedule } from '../open-loop.ts';
import type { Sample } from './samples.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
/** Taken in turn, so that every worker behind them has some to do; more are opened while all of them are busy. */
const CONNECTIONS = 64;
/** No client waits longer. */
const ANSWER_MS = 10_000;

/** Wall clock, as the process that breaks the cluster has it. */
const nowMs = (): number => performance.timeOrigin + performance.now();

const [port = 0, ratePerSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const file = process.argv[5] ?? '';
const samples: Sample[] = [];
const idle: Connection[] = [];
let underWay = 0;

class Connection {
  readonly #socket: Socket;
  #received = '';
  #dueMs = 0;
  #busy = false;

  constructor() {
    this.#socket = openSocket(port, false);
    this.#socket.setTimeout(ANSWER_MS, () => {
      if (this.#busy) this.#socket.destroy();
    });
    this.#socket.on('data', (chunk) => this.#onData(chunk.toString('latin1')));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#onClose());
  }

  /** A request meant for `dueMs`: what it waited for this process counts too. */
  ask(dueMs: number): void {
    underWay += 1;
    this.#busy = true;
    this.#dueMs = dueMs;
    this.#socket.write(REQUEST);
  }

  #onData(text: string): void {
    this.#received += text;
    const head = readAnswerHead(this.#received);
    if (head === null || this.#received.length < head.totalBytes || !this.#busy) return;
    this.#received = this.#received.slice(head.totalBytes);
    this.#over(head.ok);
    idle.push(this);
  }

  #onClose(): void {
    const place = idle.indexOf(this);
    if (place >= 0) idle.splice(place, 1);
    if (this.#busy) this.#over(false);
  }

  #over(ok: boolean): void {
    this.#busy = false;
    underWay -= 1;
    samples.push([this.#dueMs, nowMs() - this.#dueMs, ok ? 1 : 0]);
  }
}

for (let opened = 0; opened < CONNECTIONS; opened += 1) idle.push(new Connection());
const startMs = Math.ceil(nowMs());
const endMs = startMs + seconds * 1000;
const schedule = new Schedule(ratePerSecond, startMs);
const timer = setInterval(() => {
  for (let due = schedule.take(nowMs()); due !== null && due < endMs; due = schedule.take(nowMs()))
    (idle.shift() ?? new Connection()).ask(due);
  if (nowMs() < endMs || (underWay > 0 && nowMs() < endMs + ANSWER_MS)) return;
  clearInterval(timer);
  writeFileSync(file, JSON.stringify(samples));
  process.exit(0);
}, 1);
