// The controller's side of the socket to the workers: who is there, what each serves, and how generations and plans get to them.
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../../health/clock.ts';
import type { Config } from '../config/config.ts';
import { decodeWorkerMessage, encodeMessage, type ControllerMessage, type Ejection, type WorkerMessage } from '../ipc.ts';
import { LineReader } from '../ipc-lines.ts';
import { planDelta, planMessage, type NumberedPlan } from '../ipc-plan.ts';
import type { SessionsEndedMessage } from '../ipc-session-ends.ts';
import type { SlotsCalledMessage } from '../ipc-slots.ts';
import type { CloseTunnelsMessage, WorkMessage } from '../ipc-work.ts';
import type { KeySetMessage } from '../ipc-keys.ts';
import type { Log } from '../log.ts';
import type { Plan, ServicePlan } from '../steer/plan-shape.ts';
import type { MetricsDelta } from '../telemetry/meter.ts';
import type { WorkersAppliedView } from './api/views.ts';
import { isRunning } from './is-running.ts';
import { listenPrivately } from './api/unix-socket.ts';
import { RecentQuestions, type Recollection } from './recent-questions.ts';
import { SentGenerations } from './sent-generations.ts';
import type { SharedAnswer, SharedQuestion } from './shared-with-workers.ts';

/** What the rest of the controller hears of the workers. */
export interface WorkerListener {
  onMetrics(worker: string, delta: MetricsDelta): void;
  onEjection(worker: string, ejection: Ejection): void;
  /** What runs where, once a second. */
  onWork(worker: string, work: WorkMessage): void;
  /** It asks for, or tells of, what all workers share; answered in one message or more. */
  onQuestion(worker: string, message: SharedQuestion, answer: (message: SharedAnswer) => void): void;
  /** Listens and serves. `replaced`: another process of this name ended without being asked to. */
  onReady(worker: string, replaced: boolean): void;
  onGenerationFailed(worker: string, generation: number, problem: string): void;
  /** Its link is gone; `asked`: it was leaving. */
  onLost(worker: string, asked: boolean, pid: number): void;
}

/** One worker as the controller knows it. */
export interface WorkerState {
  readonly name: string;
  readonly pid: number;
  readonly state: 'starting' | 'ready' | 'draining' | 'lost';
  /** Acknowledged. */
  readonly generation: number;
  readonly plan: number;
  readonly restarts: number;
}

interface Entry {
  name: string;
  pid: number;
  state: WorkerState['state'];
  generation: number;
  plan: number;
  restarts: number;
  /** Null: lost. */
  socket: Socket | null;
  /** The last metrics that are counted. */
  sequence: number;
}

interface Waiter {
  check(): void;
}

/** How far the workers have taken something up. */
interface Uptake {
  readonly acknowledged: number;
  /** Names of those that have not. */
  readonly laggards: readonly string[];
}

/** A worker that has not taken this much is stuck; its link starts over and it gets everything in full. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
/** A connection that does not say who it is. */
const HELLO_DEADLINE_MS = 5000;

export class WorkerLinks {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listener: WorkerListener;
  readonly #entries = new Map<string, Entry>();
  readonly #waiters = new Set<Waiter>();
  readonly #sockets = new Set<Socket>();
  readonly #questions: RecentQuestions;
  #expected = 0;
  #leavingNames: ReadonlySet<string> = new Set();
  #server: Server | null = null;
  readonly #generations = new SentGenerations();
  #plan: NumberedPlan | null = null;
  /** What each worker that comes has to hear first, by what it is about; the last word counts. */
  readonly #standing = new Map<string, ControllerMessage>();
  /** The same, where it is much and changes; set by whoever has it. */
  standing: () => readonly ControllerMessage[] = () => [];
  #pinKey: Buffer | null = null;

  constructor(clock: Clock, log: Log, listener: WorkerListener) {
    this.#clock = clock;
    this.#log = log;
    this.#listener = listener;
    this.#questions = new RecentQuestions(clock);
  }

  /** Rejects when another living process serves this path. */
  async start(socketPath: string): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    await listenPrivately(server, socketPath);
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise((resolve) => void server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  workers(): readonly WorkerState[] {
    return [...this.#entries.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }

  /**
   * How many workers the supervisor keeps running. Those that have not said hello, as after a restart of the controller, may serve what
   * the one before sent: nothing is served by all until they are heard of.
   */
  expect(workers: number): void {
    this.#expected = workers;
    this.#check();
  }

  /** Workers of these names belong to another supervisor, and leave soon: they get plans and no config, and nobody waits for them. */
  expectNoMoreOf(names: readonly string[]): void {
    this.#leavingNames = new Set(names);
  }

  /** To every worker. The plan for it has to be sent before. */
  sendGeneration(number: number, config: Config): void {
    this.#generations.replace(number, config);
    for (const { socket, state } of this.#entries.values())
      if (socket !== null && state !== 'draining') writeAll(socket, this.#generations.linesFor(socket));
  }

  /** To every worker, and first of all to each that comes. */
  sendTicketKey(key: Buffer): void {
    this.#stand('ticket key', { type: 'ticket_key', key: key.toString('base64') });
  }

  /** To every worker, and to each that comes. */
  sendPinKey(key: Buffer): void {
    this.#pinKey = key;
    this.#stand('pin key', { type: 'pin_key', key: key.toString('base64') });
  }

  /** To every worker, and to each that comes. */
  sendKeySet(message: KeySetMessage): void {
    this.#stand(`keys ${message.url}`, message);
  }

  sendToAll(message: SessionsEndedMessage): void {
    this.#broadcast(message);
  }

  #stand(about: string, message: ControllerMessage): void {
    this.#standing.set(about, message);
    this.#broadcast(message);
  }

  /** That signs pins; null: none was sent yet. */
  get pinKey(): Buffer | null {
    return this.#pinKey;
  }

  /** To every worker: what changed since the plan before, or all of it when there was none. */
  sendPlan(number: number, value: Plan, changed: Readonly<Record<string, ServicePlan>> | null): void {
    const before = this.#plan;
    this.#plan = { number, value };
    if (before === null || changed === null) return this.sendWholePlan();
    this.#broadcast(planDelta(before, this.#plan, changed));
  }

  /** Heals whatever a worker may have missed; callers, who are many, only where it has had no plan at all. */
  sendWholePlan(keepsCallers = false): void {
    if (this.#plan !== null) this.#broadcast(planMessage(this.#plan, keepsCallers));
  }

  /** To one worker, if it is there. */
  tell(worker: string, message: CloseTunnelsMessage | SlotsCalledMessage): void {
    const socket = this.#entries.get(worker)?.socket ?? null;
    if (socket !== null) write(socket, encodeMessage(message));
  }

  /** What all workers remember of a request. */
  recall(requestId: string): Promise<Recollection> {
    const asked = [...this.#entries.values()].filter(({ socket }) => socket !== null).map(({ name }) => name);
    return this.#questions.ask(asked, (question) => this.#broadcast({ type: 'recent_question', question, requestId }));
  }

  /** Settles when every worker serves these numbers or newer ones, or when the time is over, with those that do not. */
  served(wanted: { readonly generation: number; readonly plan: number }, timeoutMs: number): Promise<WorkersAppliedView> {
    const startedAtMs = this.#clock.nowMs();
    const { promise, resolve } = Promise.withResolvers<WorkersAppliedView>();
    const finish = ({ acknowledged, laggards }: Uptake): void => {
      this.#waiters.delete(waiter);
      timer.cancel();
      const tookMs = this.#clock.nowMs() - startedAtMs;
      resolve({ workers: acknowledged + laggards.length, acknowledged, laggards, tookMs });
    };
    const waiter: Waiter = {
      check: () => {
        const uptake = this.#uptake(wanted);
        if (uptake.acknowledged > 0 && uptake.laggards.length === 0) finish(uptake);
      },
    };
    const timer: Timer = this.#clock.after(timeoutMs, () => finish(this.#uptake(wanted)));
    this.#waiters.add(waiter);
    waiter.check();
    return promise;
  }

  /** Names of those that do not serve these numbers or newer ones now. */
  laggards(wanted: { readonly generation: number; readonly plan: number }): readonly string[] {
    return this.#uptake(wanted).laggards;
  }

  /**
   * A worker that is gone or starting serves nothing that could be old, so it counts only where there is no other. One whose link alone is lost serves on,
   * and is back within a second.
   */
  #uptake(wanted: { readonly generation: number; readonly plan: number }): Uptake {
    const staying = [...this.#entries.values()].filter(({ state }) => state !== 'draining');
    const ready = staying.filter(({ state }) => state === 'ready');
    const late = ready.filter((entry) => !serves(entry, wanted));
    const cut = ready.length === 0 ? [] : staying.filter(({ state, pid }) => state === 'lost' && isRunning(pid));
    const away = ready.length === 0 ? staying : [];
    const laggards = [...[...late, ...cut, ...away].map(({ name }) => name), ...this.#unheard(staying.length)];
    return { acknowledged: ready.length - late.length, laggards };
  }

  /** The workers that are not known yet; the supervisor gives the lowest names that are free. */
  #unheard(known: number): readonly string[] {
    const names: string[] = [];
    for (let number = 1; known + names.length < this.#expected; number += 1) {
      if (!this.#entries.has(`w${number}`)) names.push(`w${number}`);
    }
    return names;
  }

  #check(): void {
    for (const waiter of this.#waiters) waiter.check();
  }

  #broadcast(message: ControllerMessage): void {
    const text = encodeMessage(message);
    for (const { socket } of this.#entries.values()) if (socket !== null) write(socket, text);
  }

  #accept(socket: Socket): void {
    const reader = new LineReader();
    let entry: Entry | null = null;
    this.#sockets.add(socket);
    const deadline = this.#clock.after(HELLO_DEADLINE_MS, () => socket.destroy(), true);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of reader.push(chunk)) {
          const message = decodeWorkerMessage(line);
          if (message?.type === 'foreign') continue;
          if (message === null) throw new Error(`not a message of a worker: ${line.slice(0, 100)}`);
          if (entry !== null) this.#receive(entry, message);
          else {
            deadline.cancel();
            entry = this.#greet(socket, message);
          }
        }
      } catch (error) {
        this.#log.warn({ worker: entry?.name, problem: error instanceof Error ? error.message : String(error) }, 'worker link broken');
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      deadline.cancel();
      this.#sockets.delete(socket);
      if (entry?.socket === socket) this.#lost(entry);
    });
  }

  /** A worker says who it is; it gets what it does not serve yet. */
  #greet(socket: Socket, hello: WorkerMessage): Entry {
    if (hello.type !== 'hello') throw new Error(`${hello.type} before hello`);
    const { worker: name, pid, generation, plan } = hello;
    const before = this.#entries.get(name);
    const sameProcess = before?.pid === pid;
    if (before !== undefined) release(before);
    const replaced = before !== undefined && !sameProcess;
    const leaves = this.#leavingNames.has(name);
    const entry: Entry = {
      name,
      pid,
      generation,
      plan,
      state: leaves ? 'draining' : generation > 0 ? 'ready' : 'starting',
      restarts: (before?.restarts ?? 0) + (replaced ? 1 : 0),
      socket,
      sequence: sameProcess ? before.sequence : 0,
    };
    this.#entries.set(name, entry);
    for (const message of [...this.#standing.values(), ...this.standing()]) write(socket, encodeMessage(message));
    // The plan first: a generation that is built meets its shares, and never a service without any.
    if (this.#plan !== null) write(socket, encodeMessage(planMessage(this.#plan)));
    if (this.#generations.number !== generation && !leaves) writeAll(socket, this.#generations.linesFor(socket));
    if (entry.state === 'ready') this.#listener.onReady(name, replaced);
    this.#check();
    return entry;
  }

  #receive(entry: Entry, message: WorkerMessage): void {
    switch (message.type) {
      case 'hello':
        throw new Error('a second hello');
      case 'ack':
        entry.generation = message.generation;
        entry.plan = message.plan;
        this.#check();
        return;
      case 'ready':
        if (entry.state === 'starting') entry.state = 'ready';
        this.#listener.onReady(entry.name, entry.restarts > 0);
        this.#check();
        return;
      case 'draining':
        entry.state = 'draining';
        this.#check();
        return;
      case 'generation_failed':
        this.#listener.onGenerationFailed(entry.name, message.generation, message.problem);
        return;
      case 'plan_gap':
        if (this.#plan !== null && entry.socket !== null) write(entry.socket, encodeMessage(planMessage(this.#plan)));
        return;
      case 'metrics':
        this.#takeMetrics(entry, message.sequence, message.delta);
        return;
      case 'ejection':
        this.#listener.onEjection(entry.name, message.ejection);
        return;
      case 'work':
        this.#listener.onWork(entry.name, message);
        return;
      case 'recent_answer':
        this.#questions.answer(entry.name, message.question, message.traces);
        return;
      default:
        this.#listener.onQuestion(entry.name, message, (answer) => {
          if (entry.socket !== null) write(entry.socket, encodeMessage(answer));
        });
    }
  }

  /** A delta that comes again after a broken link is acknowledged and not counted again. */
  #takeMetrics(entry: Entry, sequence: number, delta: MetricsDelta): void {
    if (sequence > entry.sequence) {
      entry.sequence = sequence;
      this.#listener.onMetrics(entry.name, delta);
    }
    if (entry.socket !== null) write(entry.socket, encodeMessage({ type: 'metrics_ack', sequence }));
  }

  #lost(entry: Entry): void {
    const asked = entry.state === 'draining';
    entry.socket = null;
    entry.state = 'lost';
    if (asked) this.#entries.delete(entry.name);
    this.#listener.onLost(entry.name, asked, entry.pid);
    this.#check();
  }
}

/** Its connection has a successor: the end of it is not the end of the worker. */
function release(entry: Entry): void {
  entry.socket?.destroy();
  entry.socket = null;
}

function serves(entry: Entry, wanted: { readonly generation: number; readonly plan: number }): boolean {
  return entry.generation >= wanted.generation && entry.plan >= wanted.plan;
}

function writeAll(socket: Socket, lines: readonly string[]): void {
  for (const line of lines) write(socket, line);
}

function write(socket: Socket, text: string): void {
  socket.write(text);
  if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
}
