// What controller and workers say to each other over the unix socket `<state dir>/ipc.sock`, one JSON object a line.
import { connect, type Socket } from 'node:net';
import { BackOff } from '../health/back-off.ts';
import type { Clock, Random, Timer } from '../health/clock.ts';
import { GenerationAssembly, type GenerationMessage, type RoutesMessage, type SameRoutesMessage } from './ipc-generation.ts';
import { LineReader } from './ipc-lines.ts';
import { amount, amounts, count, fitting, has, mapping, text, texts, type Guard, type Shape, type Shapes } from './ipc-shapes.ts';
import type { AllowanceMessage, AllowancesLeftMessage, AllowanceWantedMessage } from './ipc-limits.ts';
import type { SlotsCalledMessage, SlotsChangedMessage, SlotsGivenMessage, SlotsHeldMessage } from './ipc-slots.ts';
import type { UsesDecidedMessage, UsesWantedMessage } from './ipc-uses.ts';
import type { FlightLandedMessage, FlightMessage, FlightWantedMessage } from './ipc-flights.ts';
import type { SessionEndKeptMessage, SessionEndMessage, SessionsEndedMessage } from './ipc-session-ends.ts';
import type { KeySetMessage, KeyWantedMessage } from './ipc-keys.ts';
import type { CloseTunnelsMessage, WorkMessage } from './ipc-work.ts';
import type { RecentAnswer, RecentQuestion } from './ipc-recent.ts';
import type { Callers } from './intent/callers.ts';
import type { Purges } from './intent/purge.ts';
import type { Log } from './log.ts';
import type { Plan, ServicePlan, HealthView } from './steer/plan-shape.ts';
import type { Meter, MetricsDelta } from './telemetry/meter.ts';

/** Rises when a message changes its meaning; a hello with another number is refused. */
export const IPC_PROTOCOL = 5;

export const TICKET_KEY_BYTES = 48;

/** What a worker gets to see: a generation with its routes. */
export type ControllerMessage = Exclude<WireMessage, RoutesMessage | SameRoutesMessage>;

type WireMessage =
  | RoutesMessage
  | SameRoutesMessage
  | GenerationMessage
  | RecentQuestion
  | CloseTunnelsMessage
  | KeySetMessage
  | AllowanceMessage
  | SlotsGivenMessage
  | SlotsCalledMessage
  | FlightMessage
  | UsesDecidedMessage
  | SessionEndKeptMessage
  | SessionsEndedMessage
  /** The plan in full, every few seconds and on a gap. `keepsCallers`: who was added by command is as in the one before. */
  | { readonly type: 'plan'; readonly plan: number; readonly value: Plan; readonly keepsCallers?: true }
  /** What changed between plan `base` and plan `plan`; a worker that does not serve `base` asks for all. */
  | {
      readonly type: 'plan_delta';
      readonly base: number;
      readonly plan: number;
      readonly services: Readonly<Record<string, ServicePlan>>;
      readonly health: HealthView;
      /** Absent: they are as they were. */
      readonly purges?: Purges;
      /** The same. */
      readonly callers?: Callers;
    }
  /** The key of TLS session tickets from now on, in base64: TICKET_KEY_BYTES bytes that only the processes of the host know. */
  | { readonly type: 'ticket_key'; readonly key: string }
  /** The key that pins are signed with, as above; it stays. */
  | { readonly type: 'pin_key'; readonly key: string }
  /** Metric deltas up to this sequence are counted; the worker may forget them. */
  | { readonly type: 'metrics_ack'; readonly sequence: number };

/** Something a worker saw in real traffic that made it eject at once. */
export type Ejection = { readonly cluster: string; readonly forMs: number; readonly reason: string } & (
  { readonly kind: 'endpoint'; readonly endpoint: string } | { readonly kind: 'target'; readonly service: string; readonly version: string }
);

export type WorkerMessage =
  | {
      readonly type: 'hello';
      readonly protocol: typeof IPC_PROTOCOL;
      readonly worker: string;
      readonly pid: number;
      /** What it serves already (after the controller was restarted); 0: nothing yet. */
      readonly generation: number;
      readonly plan: number;
    }
  /** It serves these now. */
  | { readonly type: 'ack'; readonly generation: number; readonly plan: number }
  /** It could not make a generation (a certificate that cannot be read, an address in use); it serves the one before. */
  | { readonly type: 'generation_failed'; readonly generation: number; readonly problem: string }
  | { readonly type: 'plan_gap'; readonly have: number }
  | { readonly type: 'metrics'; readonly sequence: number; readonly delta: MetricsDelta }
  | { readonly type: 'ejection'; readonly ejection: Ejection }
  | RecentAnswer
  | WorkMessage
  | KeyWantedMessage
  | AllowanceWantedMessage
  | AllowancesLeftMessage
  | SlotsChangedMessage
  | SlotsHeldMessage
  | FlightWantedMessage
  | FlightLandedMessage
  | UsesWantedMessage
  | SessionEndMessage
  /** Listeners are open and the first plan is served. */
  | { readonly type: 'ready' }
  | { readonly type: 'draining' };

/** One message on the wire. */
export function encodeMessage(message: ControllerMessage | WorkerMessage): string {
  return `${JSON.stringify(message)}\n`;
}

/** Of a message that cannot be understood: its kind, and nothing of a key. */
const SHOWN_CHARACTERS = 24;

const ticketKey: Guard = (value) => typeof value === 'string' && Buffer.from(value, 'base64').length === TICKET_KEY_BYTES;

const isExemplar: Guard = (value) => has(value, { bucket: count, traceId: text, value: amount, atMs: amount });

const SERIES_DELTA: Shape = {
  name: text,
  labels: texts,
  value: amount,
  buckets: (of) => of === undefined || amounts(of),
  exemplars: (of) => of === undefined || (Array.isArray(of) && of.every(isExemplar)),
};
const isSeriesDelta: Guard = (value) => has(value, SERIES_DELTA);

const isEjection: Guard = (value) =>
  has(value, { kind: text, cluster: text, forMs: amount, reason: text }) &&
  (has(value, { kind: (kind) => kind === 'endpoint', endpoint: text }) ||
    has(value, { kind: (kind) => kind === 'target', service: text, version: text }));

/**
 * What each message must have. Config, plan and deltas are checked to be what they are called and not in depth: both ends are one
 * program of one protocol number, the socket is in a directory that only its user may enter.
 */
const CONTROLLER_FIELDS: Readonly<Record<WireMessage['type'], Shape>> = {
  routes: { generation: count, routes: Array.isArray },
  same_routes: { generation: count, from: count, count: count },
  generation: { generation: count, config: mapping, pieces: count },
  plan: { plan: count, value: mapping },
  plan_delta: { base: count, plan: count, services: mapping, health: mapping },
  ticket_key: { key: ticketKey },
  pin_key: { key: ticketKey },
  metrics_ack: { sequence: count },
  recent_question: { question: count, requestId: text },
  allowance: { grants: Array.isArray, hosts: count },
  slots_given: { gifts: Array.isArray },
  slots_called: { calls: Array.isArray },
  key_set: { url: text, version: count, keys: Array.isArray },
  flight: { key: text, state: text, text },
  uses_decided: { number: count, outcomes: texts },
  session_end_kept: { number: count, outcome: text },
  sessions_ended: { marks: Array.isArray },
  close_tunnels: { cluster: text, perSecond: amount },
};

const WORKER_FIELDS: Readonly<Record<WorkerMessage['type'], Shape>> = {
  hello: { protocol: (value) => value === IPC_PROTOCOL, worker: text, pid: count, generation: count, plan: count },
  ack: { generation: count, plan: count },
  generation_failed: { generation: count, problem: text },
  plan_gap: { have: count },
  metrics: { sequence: count, delta: (value) => Array.isArray(value) && value.every(isSeriesDelta) },
  ejection: { ejection: isEjection },
  recent_answer: { question: count, traces: Array.isArray },
  allowance_wanted: { wishes: Array.isArray },
  allowances_left: { counters: Array.isArray },
  slots_changed: { changes: Array.isArray },
  slots_held: { pid: count, holdings: Array.isArray },
  key_wanted: { url: text },
  session_end: { number: count, marks: Array.isArray, once: text },
  flight_wanted: { key: text, flies: (of) => typeof of === 'boolean' },
  uses_wanted: { number: count, uses: Array.isArray },
  flight_landed: { key: text, text, keepMs: amount },
  work: { plan: count, clusters: mapping, callers: (of) => of === undefined || mapping(of) },
  ready: {},
  draining: {},
};

/** Of a kind that this build does not know. To be passed over: a controller of another build may come to run beside these workers. */
export interface ForeignMessage {
  readonly type: 'foreign';
}

const FOREIGN: ForeignMessage = { type: 'foreign' };

/** Null: not a message of a controller. */
export function decodeControllerMessage(line: string): WireMessage | ForeignMessage | null {
  return decode(line, CONTROLLER_FIELDS) as WireMessage | ForeignMessage | null;
}

/** Null: not a message of a worker. */
export function decodeWorkerMessage(line: string): WorkerMessage | ForeignMessage | null {
  return decode(line, WORKER_FIELDS) as WorkerMessage | ForeignMessage | null;
}

function decode(line: string, shapes: Shapes): object | null {
  try {
    const value: unknown = JSON.parse(line);
    if (has(value, { type: text }) && !Object.hasOwn(shapes, String(Reflect.get(Object(value), 'type')))) return FOREIGN;
    return fitting(value, shapes);
  } catch {
    return null;
  }
}

export interface WorkerLinkOptions {
  readonly socketPath: string;
  readonly worker: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Its deltas go to the controller once a second. */
  readonly meter: Meter;
  /** The numbers the worker serves; 0: nothing yet. */
  readonly served: () => { readonly generation: number; readonly plan: number };
  readonly onMessage: (message: ControllerMessage) => void;
  /** What each new controller has to hear behind the hello. */
  readonly standing?: () => readonly WorkerMessage[];
}

/** The worker's side of the socket. Nothing that serves requests waits for it. */
export interface WorkerLink {
  start(): void;
  /** What was not delivered, or a new controller has to know, goes after the next hello if it still means something then. */
  send(message: WorkerMessage): void;
  /** Whether there is a controller at the other end; one that hangs is. */
  readonly isUp: boolean;
  /** Delivers the last metrics, if the controller takes them within a second. */
  close(): Promise<void>;
}

export function createWorkerLink(options: WorkerLinkOptions): WorkerLink {
  return new SocketLink(options);
}

const REPORT_MS = 1000;
const CLOSE_MS = 1000;
const RECONNECT = { baseMs: 20, maxMs: 1000, jitter: 0.5 };
/** Ejections that are kept for the next controller; more of them than this say nothing new. */
const MAX_EJECTIONS = 256;
/** A controller that has not read this much is stuck: start over with a fresh connection. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
/** What Node reads at once. */
const FULL_READ_BYTES = 64 * 1024;

class SocketLink implements WorkerLink {
  readonly #options: WorkerLinkOptions;
  readonly #backOff: BackOff;
  #socket: Socket | null = null;
  #connected = false;
  #closed = false;
  #reconnect: Timer | null = null;
  #report: Timer | null = null;
  #draining = false;
  #ejections: { readonly ejection: Ejection; readonly untilMs: number }[] = [];
  #sequence = 0;
  /** The delta under way. While there is one no other is taken: the meter adds up, so nothing grows and nothing is counted twice. */
  #unacknowledged: { readonly sequence: number; readonly delta: MetricsDelta } | null = null;
  #onAcknowledged: (() => void) | null = null;

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
    this.#backOff = new BackOff(RECONNECT, options.random);
  }

  start(): void {
    this.#connect();
    this.#reportLater();
  }

  get isUp(): boolean {
    return this.#connected;
  }

  send(message: WorkerMessage): void {
    if (message.type === 'draining') this.#draining = true;
    if (message.type === 'ejection') this.#keep(message.ejection);
    if (this.#connected) this.#write(message);
  }

  async close(): Promise<void> {
    this.#report?.cancel();
    if (this.#connected) await this.#lastReport();
    this.#closed = true;
    this.#reconnect?.cancel();
    this.#connected = false;
    this.#socket?.destroySoon();
  }

  /** A controller that comes back hears of all that is out: the one before may not have, or may have taken it along. */
  #keep(ejection: Ejection): void {
    const nowMs = this.#options.clock.nowMs();
    const running = this.#ejections.filter(({ untilMs }) => untilMs > nowMs).slice(1 - MAX_EJECTIONS);
    this.#ejections = [...running, { ejection, untilMs: nowMs + ejection.forMs }];
  }

  async #lastReport(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#options.clock.after(CLOSE_MS, () => resolve(undefined), true);
    this.#onAcknowledged = () => {
      this.#takeDelta();
      if (this.#unacknowledged === null) resolve(undefined);
    };
    if (this.#unacknowledged === null) this.#onAcknowledged();
    await promise;
    timer.cancel();
    this.#onAcknowledged = null;
  }

  #connect(): void {
    const socket = connect(this.#options.socketPath);
    const reader = new LineReader();
    const assembly = new GenerationAssembly();
    this.#socket = socket;
    socket.on('connect', () => this.#greet());
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of reader.push(chunk)) this.#receive(line, assembly);
        if (chunk.length >= FULL_READ_BYTES) this.#readOnNextTurn(socket);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', (error) => {
      if (this.#connected) this.#options.log.warn({ problem: error.message }, 'the link to the controller failed');
    });
    socket.on('close', () => this.#lost());
  }

  /** More is waiting: without a pause the event loop reads on and on, and requests wait until all of a generation is read. */
  #readOnNextTurn(socket: Socket): void {
    socket.pause();
    setImmediate(() => socket.resume());
  }

  #lost(): void {
    if (this.#connected) this.#options.log.warn({}, 'lost the controller; serving on with the last plan');
    this.#connected = false;
    this.#socket = null;
    if (!this.#closed) this.#reconnect = this.#options.clock.after(this.#backOff.nextMs(), () => this.#connect());
  }

  /** Says who it is and what it serves, then what it could not say before. */
  #greet(): void {
    const { worker, pid, served, clock, standing } = this.#options;
    this.#connected = true;
    this.#write({ type: 'hello', protocol: IPC_PROTOCOL, worker, pid, ...served() });
    for (const message of standing?.() ?? []) this.#write(message);
    if (this.#draining) this.#write({ type: 'draining' });
    const nowMs = clock.nowMs();
    for (const { ejection, untilMs } of this.#ejections) {
      if (untilMs > nowMs) this.#write({ type: 'ejection', ejection: { ...ejection, forMs: untilMs - nowMs } });
    }
    if (this.#unacknowledged !== null) this.#write({ type: 'metrics', ...this.#unacknowledged });
  }

  #receive(line: string, assembly: GenerationAssembly): void {
    const message = decodeControllerMessage(line);
    if (message?.type === 'foreign') return;
    if (message?.type === 'routes' || message?.type === 'same_routes') return assembly.take(message);
    if (message === null) throw new Error(`not a message of a controller: ${line.slice(0, SHOWN_CHARACTERS)}`);
    this.#backOff.reset();
    if (message.type === 'metrics_ack') this.#acknowledge(message.sequence);
    this.#options.onMessage(message.type === 'generation' ? assembly.complete(message) : message);
  }

  #acknowledge(sequence: number): void {
    if (this.#unacknowledged === null || sequence < this.#unacknowledged.sequence) return;
    this.#unacknowledged = null;
    this.#onAcknowledged?.();
  }

  #reportLater(): void {
    this.#report = this.#options.clock.after(
      REPORT_MS,
      () => {
        this.#takeDelta();
        this.#reportLater();
      },
      true,
    );
  }

  #takeDelta(): void {
    if (!this.#connected || this.#unacknowledged !== null) return;
    const delta = this.#options.meter.takeDelta();
    if (delta.length === 0) return;
    this.#unacknowledged = { sequence: ++this.#sequence, delta };
    this.#write({ type: 'metrics', ...this.#unacknowledged });
  }

  #write(message: WorkerMessage): void {
    this.#socket?.write(encodeMessage(message));
    if ((this.#socket?.writableLength ?? 0) > MAX_UNREAD_BYTES) this.#socket?.destroy();
  }
}
