// What the plan was made from, decision by decision, as lines of JSON: a base with the fleet and what was remembered, then what changed each time.
// Reading them gives the very input again, so that the same function gives the very plan. Pure.
import { createHash } from 'node:crypto';
import type { Planned } from '../plan.ts';
import type { PlanFacts, PlanInput, PlanMemory } from '../plan-input.ts';

/** Of the format. Rises when lines change their meaning. */
export const DECISIONS_VERSION = 1;
export const DECISIONS_HEADER = JSON.stringify({ weir: 'decisions', version: DECISIONS_VERSION });

/** The parts that are the config's. */
export type FleetFacts = Pick<PlanFacts, 'services' | 'clusters' | 'hostRegion' | 'regions' | 'clientRegions'>;
/** The parts that change while a config is served. */
export type MovingFacts = Omit<PlanFacts, keyof FleetFacts | 'wallMs'>;

export interface Decision {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly input: PlanInput;
  /** Of the plan that was made. */
  readonly digest: string;
  /** The same controller, on the same clock, made the decision before. */
  readonly continues: boolean;
}

const FLEET = ['services', 'clusters', 'hostRegion', 'regions', 'clientRegions'] as const satisfies (keyof FleetFacts)[];
const MOVING = [
  'intent',
  'health',
  'capacity',
  'demand',
  'classDemand',
  'observed',
  'regionDemand',
] as const satisfies (keyof MovingFacts)[];

/** Of what the workers are given. */
/** Who may call, and who may act, decides nothing of where requests go, and is long. */
function withoutCallers<T extends object>(of: T): T {
  const others = { ...of };
  Reflect.deleteProperty(others, 'callers');
  Reflect.deleteProperty(others, 'tokens');
  return others;
}

export function planDigest({ plan }: Pick<Planned, 'plan'>): string {
  return createHash('sha256')
    .update(JSON.stringify(withoutCallers(plan)))
    .digest('base64url');
}

export class DecisionEncoder {
  #fleet: FleetFacts | null = null;
  #texts = new Map<string, string>();
  #continues = false;

  /** The next line stands in a new file. */
  begin(): void {
    this.#fleet = null;
    this.#texts = new Map();
  }

  /** Lines, each with its end. */
  encode(input: PlanInput, planned: Pick<Planned, 'plan'>, at: string): string {
    const isSame =
      this.#fleet !== null && FLEET.every((name) => input[name] === this.#fleet?.[name] || sameList(input[name], this.#fleet?.[name]));
    const base = isSame ? '' : this.#base(input);
    const changed = MOVING.flatMap((name) => {
      if (input[name] === undefined) return [];
      const text = encodeValue(name === 'intent' ? withoutCallers(input.intent) : input[name]);
      if (this.#texts.get(name) === text) return [];
      this.#texts.set(name, text);
      return [`"${name}":${text}`];
    });
    const head = `"type":"step","at":${JSON.stringify(at)},"nowMs":${JSON.stringify(input.nowMs)},"digest":"${planDigest(planned)}"`;
    return `${base}{${[head, ...changed].join(',')}}\n`;
  }

  #base(input: PlanInput): string {
    const continues = this.#continues;
    this.#continues = true;
    const fleet = Object.fromEntries(FLEET.map((name) => [name, input[name]]));
    this.#fleet = input;
    return `{"type":"base","continues":${continues},"fleet":${encodeValue(fleet)},"previous":${encodeValue(input.previous)}}\n`;
  }
}

/** Names of regions are made anew for every plan. */
function sameList(one: unknown, other: unknown): boolean {
  return Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((item, index) => item === other[index]);
}

/** A line that is none of these, with what is wrong with it. */
export class UnreadableDecisions extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreadableDecisions';
  }
}

/** Goes on over files, oldest first. */
export class DecisionDecoder {
  #fleet: FleetFacts | null = null;
  #moving: Partial<Record<keyof MovingFacts, unknown>> = {};
  #previous: PlanMemory | null = null;
  #continues = false;
  #isFirst = true;

  /** A file begins. */
  header(line: string): null {
    const { weir, version } = objectOf(line);
    if (weir !== 'decisions') throw new UnreadableDecisions('is no log of decisions; the first line says {"weir":"decisions", …}');
    if (version !== DECISIONS_VERSION)
      throw new UnreadableDecisions(`is of version ${String(version)}, this weir reads version ${DECISIONS_VERSION}`);
    this.#fleet = null;
    this.#moving = {};
    return null;
  }

  /** `previous`: what the decision before remembered. Null: the line is no decision. */
  line(line: string, previous: PlanMemory | null): Decision | null {
    const value = objectOf(line);
    if (value['type'] === 'base') {
      // A decoding border: lines are made by `DecisionEncoder`, of the version that the header says.
      this.#fleet = value['fleet'] as FleetFacts;
      this.#previous = value['previous'] as PlanMemory | null;
      this.#continues = value['continues'] === true;
      this.#isFirst = true;
      return null;
    }
    const { type, at, nowMs, digest } = value;
    if (type !== 'step' || this.#fleet === null || typeof at !== 'string' || typeof nowMs !== 'number' || typeof digest !== 'string')
      throw new UnreadableDecisions('is neither the base of a file nor a decision behind one');
    for (const name of MOVING) if (name in value) this.#moving[name] = value[name];
    const remembered = this.#isFirst ? this.#previous : previous;
    const continues = !this.#isFirst || this.#continues;
    this.#isFirst = false;
    const moving = this.#moving as unknown as MovingFacts;
    return { at, digest, continues, input: { ...this.#fleet, ...moving, previous: remembered, nowMs, wallMs: Date.parse(at) } };
  }
}

/** JSON has no word for numbers without an end, and a memory has them: never is at -Infinity. */
function encodeValue(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'number' && !Number.isFinite(member) ? { $number: String(member) } : member,
  );
}

function objectOf(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line, (_key, member: unknown) =>
      typeof member === 'object' && member !== null && '$number' in member ? Number(member.$number) : member,
    );
  } catch {
    throw new UnreadableDecisions('is no JSON');
  }
  if (typeof value !== 'object' || value === null) throw new UnreadableDecisions('is no object');
  return Object.fromEntries(Object.entries(value));
}
