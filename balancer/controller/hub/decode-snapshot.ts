// The border of the hub: bytes of an agent → a snapshot that can be trusted, or the one word that says what is wrong with it.
import { decodeAnswers } from '../../../agent/dialogue.ts';
import type { AgentProtocol, CapacitySnapshot } from '../../../agent/protocol.ts';
import { decodeCluster } from './decode-cluster.ts';
import { type LastReport, orderProblem } from './report-order.ts';

/** Why a message does not count; a bounded set, as it labels a metric. */
export type MessageRejection =
  | 'not_text'
  | 'not_json'
  | 'not_object'
  | 'protocol'
  | 'cluster'
  | 'session'
  | 'boot_id'
  | 'sequence'
  | 'epoch'
  | 'number'
  | 'agent_version'
  | 'cluster_figures'
  | 'wishes';

/** What is known of the agent that speaks. */
export interface Expectation {
  /** The cluster its connection is for. */
  readonly cluster: string;
  /** As the handshake agreed on. */
  readonly protocol: AgentProtocol;
  /** As the greeting of the connection named it; null: protocol 1 has none. */
  readonly session: string | null;
  /** Null: there was none. */
  readonly last: LastReport | null;
}

export type Decoded =
  | { readonly ok: true; readonly snapshot: CapacitySnapshot }
  /** `sequence`: as far as the message had one, for the answer. */
  | { readonly ok: false; readonly reason: MessageRejection; readonly sequence: number | null };

interface Bounds {
  readonly from: number;
  readonly to: number;
  readonly integer?: true;
}

/** What a number may be; anything beyond is a broken agent, not a large cluster. */
const BOUNDS = {
  // 9999-12-31, the last day that has a four-digit year.
  sentAtMs: { from: 0, to: 253_402_300_799_999 },
  periodMs: { from: 100, to: 60_000 },
  cpuUtilisation: { from: 0, to: 100 },
  memoryUtilisation: { from: 0, to: 100 },
  cores: { from: 1, to: 1_000_000, integer: true },
  loadAverage1m: { from: 0, to: 1_000_000 },
} as const satisfies Readonly<Record<string, Bounds>>;

/** No capacity of 0: taking a cluster out of service is the operator's, not the agent's. */
const CAPACITY: Bounds = { from: Number.MIN_VALUE, to: 1e9 };
const RATE: Bounds = { from: 0, to: 1e9 };
const SEQUENCE: Bounds = { from: 0, to: Number.MAX_SAFE_INTEGER, integer: true };
const EPOCH: Bounds = { from: 1, to: BOUNDS.sentAtMs.to, integer: true };

const BOOT_ID = /^[A-Za-z0-9-]{8,64}$/;
const AGENT_VERSION = /^[\x21-\x7e]{1,64}$/;

/** Decodes a text message. Members that are not known are left out: a newer agent may say more. */
export function decodeMessage(text: string, expected: Expectation): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'not_json', sequence: null };
  }
  return decodeSnapshot(value, expected);
}

/** Decodes what a message held. */
export function decodeSnapshot(value: unknown, expected: Expectation): Decoded {
  if (!isRecord(value)) return { ok: false, reason: 'not_object', sequence: null };
  const sequence = numberIn(value['sequence'], SEQUENCE);
  const reject = (reason: MessageRejection): Decoded => ({ ok: false, reason, sequence });
  const { bootId, agentVersion } = value;
  const { protocol, session } = expected;
  if (value['protocol'] !== protocol) return reject('protocol');
  if (value['cluster'] !== expected.cluster) return reject('cluster');
  // A message that was recorded on another connection is none of this one.
  if (session !== null && value['session'] !== session) return reject('session');
  if (typeof bootId !== 'string' || !BOOT_ID.test(bootId)) return reject('boot_id');
  if (sequence === null) return reject('sequence');
  const epoch = protocol === 1 ? undefined : (numberIn(value['epoch'], EPOCH) ?? null);
  if (epoch === null) return reject('epoch');
  const order = { bootId, sequence, ...(epoch === undefined ? {} : { epoch }) };
  const disorder = orderProblem(order, expected.last);
  if (disorder !== null) return reject(disorder);
  if (typeof agentVersion !== 'string' || !AGENT_VERSION.test(agentVersion)) return reject('agent_version');
  const numbers = numbersIn(value);
  const capacityRps = value['capacityRps'] === null ? null : numberIn(value['capacityRps'], CAPACITY);
  if (numbers === null || (value['capacityRps'] !== null && capacityRps === null)) return reject('number');
  const rates = ratesIn(value);
  if (rates === null) return reject('number');
  const cluster = decodeCluster(value);
  if (cluster === null) return reject('cluster_figures');
  const answers = protocol === 1 || value['wishes'] === undefined ? undefined : decodeAnswers(value['wishes']);
  if (answers === null) return reject('wishes');
  const wishes = answers === undefined ? {} : { wishes: answers };
  const own = { protocol, cluster: expected.cluster, capacityRps, agentVersion };
  return { ok: true, snapshot: { ...own, ...order, ...numbers, ...rates, ...cluster, ...wishes } };
}

type Numbers = Pick<CapacitySnapshot, keyof typeof BOUNDS>;

function numbersIn(value: Readonly<Record<string, unknown>>): Numbers | null {
  const read = (name: keyof typeof BOUNDS): number => numberIn(value[name], BOUNDS[name]) ?? NaN;
  const numbers: Numbers = {
    sentAtMs: read('sentAtMs'),
    periodMs: read('periodMs'),
    cpuUtilisation: read('cpuUtilisation'),
    memoryUtilisation: read('memoryUtilisation'),
    cores: read('cores'),
    loadAverage1m: read('loadAverage1m'),
  };
  return Object.values(numbers).some(Number.isNaN) ? null : numbers;
}

type Rates = Pick<CapacitySnapshot, 'requestsPerSecond' | 'errorsPerSecond'>;

/** Both or neither; null: not rates. */
function ratesIn({ requestsPerSecond, errorsPerSecond }: Readonly<Record<string, unknown>>): Rates | null {
  if (requestsPerSecond === undefined && errorsPerSecond === undefined) return {};
  const requests = numberIn(requestsPerSecond, RATE);
  const errors = numberIn(errorsPerSecond, RATE);
  return requests === null || errors === null || errors > requests ? null : { requestsPerSecond: requests, errorsPerSecond: errors };
}

/** The number, if it is one within the bounds; NaN and infinities are within none. */
function numberIn(value: unknown, { from, to, integer }: Bounds): number | null {
  if (typeof value !== 'number' || !(value >= from && value <= to)) return null;
  return integer === true && !Number.isInteger(value) ? null : value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
