// What hub and agent say to each other beside reports: the greeting of a connection, what an edge host would like of the cluster, and what
// the agent makes of it. Wishes travel as a whole each time, as reports do, so that a lost message never leaves a wrong state behind.
import type { AgentProtocol } from './protocol.ts';

/** Names of the protocols as the handshake of the WebSocket carries them (RFC 6455 section 1.9). */
export const SUBPROTOCOLS: Readonly<Record<AgentProtocol, string>> = { 1: 'weir.agent.v1', 2: 'weir.agent.v2' };

/** The first message of a hub, from protocol 2 on; an agent reports when it has it. */
export interface HubHello {
  readonly kind: 'hello';
  /** Stands in each snapshot of the connection, so that none of another one counts on it. */
  readonly session: string;
  /** Tells this hub from others: one that is reached by two addresses is reported to once. */
  readonly hub: string;
  /** Name of the edge host, for people. */
  readonly host: string;
}

/** "Expect so many requests per second": times are spans, so that no clock but the reader's own plays a part. */
export interface PrescaleWish {
  readonly kind: 'prescale';
  readonly id: string;
  readonly service: string;
  readonly rps: number;
  /** When they come; 0: now. */
  readonly inMs: number;
  /** When the wish ends by itself, counted from now. */
  readonly endsInMs: number;
}

/** "Nothing new comes": what was raised may go back. */
export interface DrainWish {
  readonly kind: 'drain';
  readonly id: string;
  /** When the cluster comes back by itself, counted from now; null: when an operator says so. */
  readonly endsInMs: number | null;
}

export type Wish = PrescaleWish | DrainWish;

/** All that is wished for now; empty: nothing, what was raised goes back. */
export interface HubWishes {
  readonly kind: 'wishes';
  /** Rises with each change, within a connection; the agent's answers name it. */
  readonly number: number;
  readonly wishes: readonly Wish[];
}

/** What became of a wish. `taken`: read, and being seen to; `done`: as wished; `unable`: seen to and not possible; `refused`: not allowed here. */
export const WISH_STATES = ['taken', 'done', 'unable', 'refused'] as const;
export type WishState = (typeof WISH_STATES)[number];

export interface WishAnswer {
  readonly id: string;
  readonly state: WishState;
  /** One line for people; may be empty. */
  readonly detail: string;
}

/** Part of a snapshot: the wishes that the agent knows of, by number, and its answers. */
export interface WishAnswers {
  readonly number: number;
  readonly answers: readonly WishAnswer[];
}

/** What may stand in these messages; both ends refuse what is beyond. */
export const DIALOGUE_LIMITS = { wishes: 64, detailChars: 200, messageBytes: 128 * 1024 } as const;

const ID = /^[A-Za-z0-9._:@/-]{1,64}$/;
/** What people read, on one line. */
const LINE = /^[\x20-\x7e]*$/;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const MAX_RPS = 1e9;
const MAX_SPAN_MS = 7 * 86_400_000;
/** A greeting and wishes are of one host; anything longer is none of ours. */
const SESSION = /^[A-Za-z0-9_-]{8,64}$/;

/** Null: it is none, or one that cannot be trusted. */
export function decodeHello(value: unknown): HubHello | null {
  if (!isRecord(value) || value['kind'] !== 'hello') return null;
  const { session, hub, host } = value;
  if (typeof session !== 'string' || !SESSION.test(session) || typeof hub !== 'string' || !SESSION.test(hub)) return null;
  if (typeof host !== 'string' || host.length > 255 || !LINE.test(host)) return null;
  return { kind: 'hello', session, hub, host };
}

/** Null: as above. A kind of wish that is not known is left out: a newer hub may wish for more. */
export function decodeWishes(value: unknown): HubWishes | null {
  if (!isRecord(value) || value['kind'] !== 'wishes') return null;
  const { number, wishes } = value;
  if (!isCount(number) || !Array.isArray(wishes) || wishes.length > DIALOGUE_LIMITS.wishes) return null;
  const read: Wish[] = [];
  for (const one of wishes as readonly unknown[]) {
    if (!isRecord(one)) return null;
    if (one['kind'] !== 'prescale' && one['kind'] !== 'drain') continue;
    const wish = one['kind'] === 'prescale' ? prescaleOf(one) : drainOf(one);
    if (wish === null) return null;
    read.push(wish);
  }
  return { kind: 'wishes', number, wishes: read };
}

/** Answers as they stand in a snapshot; null: not such. */
export function decodeAnswers(value: unknown): WishAnswers | null {
  if (!isRecord(value)) return null;
  const { number, answers } = value;
  if (!isCount(number) || !Array.isArray(answers) || answers.length > DIALOGUE_LIMITS.wishes) return null;
  const read: WishAnswer[] = [];
  for (const one of answers as readonly unknown[]) {
    if (!isRecord(one)) return null;
    const { id, detail } = one;
    const state = WISH_STATES.find((known) => known === one['state']);
    if (typeof id !== 'string' || !ID.test(id) || state === undefined) return null;
    if (typeof detail !== 'string' || detail.length > DIALOGUE_LIMITS.detailChars || !LINE.test(detail)) return null;
    read.push({ id, state, detail });
  }
  return { number, answers: read };
}

/** A line that an answer may hold: what a server said may be anything. */
export function answerDetail(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, DIALOGUE_LIMITS.detailChars);
}

function prescaleOf({ id, service, rps, inMs, endsInMs }: Readonly<Record<string, unknown>>): PrescaleWish | null {
  if (typeof id !== 'string' || !ID.test(id) || typeof service !== 'string' || !NAME.test(service)) return null;
  if (!isWithin(rps, MAX_RPS) || !isWithin(inMs, MAX_SPAN_MS) || !isWithin(endsInMs, MAX_SPAN_MS)) return null;
  return { kind: 'prescale', id, service, rps, inMs, endsInMs };
}

function drainOf({ id, endsInMs }: Readonly<Record<string, unknown>>): DrainWish | null {
  if (typeof id !== 'string' || !ID.test(id)) return null;
  if (endsInMs !== null && !isWithin(endsInMs, Number.MAX_SAFE_INTEGER)) return null;
  return { kind: 'drain', id, endsInMs };
}

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= most;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
