// Which of several agents of a cluster speaks for it: the holder of a Lease. Its epoch, when it began to, rises with each holder, and the edge
// goes by that: so a holder that cannot reach the API server any more need not fall silent, as it is refused once another one speaks.
import type { Log } from '../../balancer/log.ts';
import type { Clock, Random, Timer } from '../../health/clock.ts';
import { type KubernetesAnswer, type KubernetesRequest, memberOf, problemOf } from './request.ts';

export interface LeaseSettings {
  readonly namespace: string;
  readonly name: string;
  /** Of this agent among the others; a process that finds itself named is the heir of one that died. */
  readonly identity: string;
}

export interface LeaseParts {
  readonly request: KubernetesRequest;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Null: another one leads. */
  readonly onChange: (leading: { readonly epoch: number } | null) => void;
}

/** A holder that was not heard of for so long is dead to the others; as in client-go. */
export const LEASE_MS = 15_000;
/** Between two looks; drawn out by up to a fifth, so that several agents do not ask together. */
const LOOK_MS = 2000;
const JITTER = 0.2;
/** A request that takes longer is given up. */
const REQUEST_MS = 5000;
/** Who held the Lease when, for the order of agents at the edge. An annotation: the counter of a Lease has 31 bits and goes with the object. */
export const EPOCH_ANNOTATION = 'weir/epoch';

interface LeaseRecord {
  readonly holder: string;
  readonly resourceVersion: string;
  readonly transitions: number;
  readonly epoch: number;
  /** How long its holder says that it counts. */
  readonly durationMs: number;
}

export class LeaseElection {
  readonly #settings: LeaseSettings;
  readonly #parts: LeaseParts;
  readonly #abort = new AbortController();
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  /** The last state of the object, and when it was first seen so: clocks of others play no part. */
  #seen: { readonly version: string; readonly atMs: number } | null = null;
  #leading: { readonly epoch: number } | null = null;
  #heldAtMs = -Infinity;
  #heardAtMs = -Infinity;
  /** The last trouble that was logged; the same is said once. */
  #trouble = '';

  constructor(settings: LeaseSettings, parts: LeaseParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  start(): void {
    this.#looking = this.#look();
  }

  /** Whether the Lease is held for certain: nobody else can have it yet. What acts on the cluster asks for this; what reports does not. */
  get holds(): boolean {
    return this.#leading !== null && this.#parts.clock.nowMs() - this.#heldAtMs < LEASE_MS;
  }

  /** When the API server last said who leads; -Infinity: never. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Gives the Lease back, so that the next one need not wait. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#abort.abort();
    await this.#looking;
    this.#timer?.cancel();
    if (!this.holds) return;
    this.#leading = null;
    const limit = AbortSignal.timeout(REQUEST_MS);
    try {
      const answer = await this.#parts.request('GET', this.#path, null, limit);
      const record = recordOf(answer.body);
      if (answer.status === 200 && record?.holder === this.#settings.identity)
        await this.#parts.request('PUT', this.#path, this.#object({ ...record, holder: '', durationMs: 1000 }), limit);
    } catch {
      // The Lease runs out by itself.
    }
  }

  get #collection(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#settings.namespace}/leases`;
  }

  get #path(): string {
    return `${this.#collection}/${this.#settings.name}`;
  }

  async #look(): Promise<void> {
    const { clock, random } = this.#parts;
    try {
      await this.#step();
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.#tell(`the API server does not answer: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (this.#abort.signal.aborted) return;
    this.#timer = clock.after(LOOK_MS * (1 + JITTER * random()), () => {
      this.#looking = this.#look();
    });
  }

  async #step(): Promise<void> {
    const answer = await this.#ask('GET', this.#path, null);
    if (answer.status === 404) {
      await this.#create();
      return;
    }
    const record = recordOf(answer.body);
    if (answer.status !== 200 || record === null) {
      this.#tell(problemOf(answer));
      return;
    }
    this.#heardAtMs = this.#parts.clock.nowMs();
    const expired = this.#isExpired(record);
    const mine = record.holder === this.#settings.identity;
    if (mine && this.#leading !== null) await this.#write(record, this.#leading.epoch);
    else if (mine || record.holder === '' || expired) await this.#write(record, null);
    else {
      this.#tell('');
      this.#lead(null);
    }
  }

  /** Seen without a change for as long as its holder said that it counts. */
  #isExpired({ resourceVersion, durationMs }: LeaseRecord): boolean {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#seen?.version !== resourceVersion) this.#seen = { version: resourceVersion, atMs: nowMs };
    return nowMs - this.#seen.atMs > durationMs;
  }

  async #create(): Promise<void> {
    const epoch = this.#nextEpoch(0);
    const sentAtMs = this.#parts.clock.nowMs();
    const record = { holder: this.#settings.identity, resourceVersion: '', transitions: 0, epoch, durationMs: LEASE_MS };
    this.#written(await this.#ask('POST', this.#collection, this.#object(record)), epoch, sentAtMs);
  }

  /** Renews, or takes over with a new epoch; the version of what was read goes along, so that of two that try one is refused. */
  async #write(before: LeaseRecord, heldEpoch: number | null): Promise<void> {
    const epoch = heldEpoch ?? this.#nextEpoch(before.epoch);
    const transitions = before.transitions + (heldEpoch === null ? 1 : 0);
    // From before it was asked: that the answer takes its time must not make the Lease longer here than it is there.
    const sentAtMs = this.#parts.clock.nowMs();
    const record = { ...before, holder: this.#settings.identity, transitions, epoch, durationMs: LEASE_MS };
    this.#written(await this.#ask('PUT', this.#path, this.#object(record)), epoch, sentAtMs);
  }

  #written(answer: KubernetesAnswer, epoch: number, sentAtMs: number): void {
    // Somebody else was faster: the next look says who.
    if (answer.status === 409) return;
    if (answer.status !== 200 && answer.status !== 201) {
      this.#tell(problemOf(answer));
      return;
    }
    this.#heldAtMs = sentAtMs;
    this.#heardAtMs = this.#parts.clock.nowMs();
    this.#tell('');
    this.#lead({ epoch });
  }

  /** Above all before, and above all of a Lease that was deleted since, by the clock. */
  #nextEpoch(before: number): number {
    return Math.max(before + 1, Math.floor(this.#parts.clock.wallMs()));
  }

  #lead(leading: { readonly epoch: number } | null): void {
    if (this.#leading?.epoch === leading?.epoch) return;
    this.#leading = leading;
    this.#parts.log.info(
      { lease: this.#settings.name, leading: leading !== null },
      leading === null ? 'another agent leads' : 'this agent leads',
    );
    this.#parts.onChange(leading);
  }

  #object({ holder, resourceVersion, transitions, epoch, durationMs }: LeaseRecord): object {
    const { namespace, name } = this.#settings;
    const version = resourceVersion === '' ? {} : { resourceVersion };
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, ...version, annotations: { [EPOCH_ANNOTATION]: String(epoch) } },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: Math.ceil(durationMs / 1000),
        leaseTransitions: transitions,
        renewTime: new Date(this.#parts.clock.wallMs()).toISOString().replace('Z', '000Z'),
      },
    };
  }

  #ask(method: 'GET' | 'POST' | 'PUT', path: string, body: object | null): Promise<KubernetesAnswer> {
    return this.#parts.request(method, path, body, AbortSignal.any([this.#abort.signal, AbortSignal.timeout(REQUEST_MS)]));
  }

  /** Trouble is logged when it begins; empty: there is none. */
  #tell(trouble: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    const { namespace, name } = this.#settings;
    const fields = { lease: `${namespace}/${name}`, problem: trouble, leading: this.#leading !== null };
    if (trouble !== '') this.#parts.log.warn(fields, 'the lease cannot be asked for; who leads stays as it is');
  }
}

/** Null: not a Lease. */
function recordOf(body: unknown): LeaseRecord | null {
  const resourceVersion = memberOf(body, 'metadata', 'resourceVersion');
  if (typeof resourceVersion !== 'string') return null;
  const holder = memberOf(body, 'spec', 'holderIdentity');
  const seconds = memberOf(body, 'spec', 'leaseDurationSeconds');
  const transitions = memberOf(body, 'spec', 'leaseTransitions');
  const epoch = Number(memberOf(body, 'metadata', 'annotations', EPOCH_ANNOTATION));
  return {
    holder: typeof holder === 'string' ? holder : '',
    resourceVersion,
    transitions: typeof transitions === 'number' ? transitions : 0,
    epoch: Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0,
    durationMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : LEASE_MS,
  };
}
