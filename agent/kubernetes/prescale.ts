// Wishes of the edge made minimums of autoscalers: raised while traffic is expected, put back as they were when it is not. What was before
// stands on the autoscaler itself, so that any agent that comes later can put it back.
import type { Log } from '../../balancer/log.ts';
import { answerDetail, type WishAnswer } from '../dialogue.ts';
import type { LiveWish } from '../wish-book.ts';
import { type KubernetesAnswer, type KubernetesRequest, memberOf, problemOf } from './request.ts';

/** The autoscaler of a service of the edge. */
export interface PrescaleTarget {
  readonly service: string;
  readonly namespace: string;
  readonly name: string;
  /** Requests per second of one replica. */
  readonly rpsPerReplica: number;
  /** The minimum is never raised above this; null: above what the autoscaler has as its most. */
  readonly most: number | null;
}

export interface PrescalerParts {
  readonly targets: readonly PrescaleTarget[];
  readonly request: KubernetesRequest;
  readonly log: Log;
}

/** On the autoscaler while its minimum is raised: `{"was": 2 or null, "raised": 36, "until": "2026-…"}`. */
export const RAISED_ANNOTATION = 'weir/prescale';
const REQUEST_MS = 5000;
/** What an autoscaler has that says nothing else (autoscaling/v2). */
const DEFAULT_MINIMUM = 1;

/** An end that moves by less is the same end, worked out at another moment. */
const UNTIL_SLACK_MS = 5000;

interface Raised {
  /** Null: it said nothing, so its default held. */
  readonly was: number | null;
  readonly raised: number;
  readonly until: string;
}

interface Autoscaler {
  readonly resourceVersion: string;
  readonly minimum: number | null;
  readonly maximum: number;
  readonly current: number;
  readonly raised: Raised | null;
}

export class Prescaler {
  readonly #parts: PrescalerParts;
  /** Targets that may have a raised minimum; all of them at first, as an agent before this one may have left one. */
  readonly #open: Set<PrescaleTarget>;

  constructor(parts: PrescalerParts) {
    this.#parts = parts;
    this.#open = new Set(parts.targets);
  }

  /** One step towards what is wished for now; what became of each wish. Runs on the agent that holds the lease, one step at a time. */
  async follow(wishes: readonly LiveWish[], nowWallMs: number, nowMs: number): Promise<readonly WishAnswer[]> {
    const answers = new Map<string, WishAnswer>();
    const drained = wishes.some(({ kind }) => kind === 'drain');
    for (const { id, kind } of wishes) if (kind === 'drain') answers.set(id, { id, state: 'taken', detail: '' });
    const asked = wishes.filter((wish) => wish.kind === 'prescale');
    for (const { id, service } of asked) {
      if (this.#parts.targets.some((target) => target.service === service)) continue;
      answers.set(id, { id, state: 'refused', detail: answerDetail(`the agent is not told of an autoscaler of ${service} (--prescale)`) });
    }
    for (const target of this.#parts.targets) {
      const own = asked.filter(({ service }) => service === target.service);
      if (own.length === 0 && !this.#open.has(target)) continue;
      // Nothing new comes to a drained cluster; what was raised for it goes back at once.
      const rps = drained ? 0 : Math.max(0, ...own.map((wish) => wish.rps));
      const untilMs = Math.max(...own.map((wish) => wish.untilMs), nowMs);
      const until = new Date(Math.min(nowWallMs + (untilMs - nowMs), 8.64e15)).toISOString();
      const became = await this.#bring(target, Math.ceil(rps / target.rpsPerReplica), until);
      for (const { id } of own) answers.set(id, { id, ...(drained ? { state: 'taken', detail: 'the cluster is being drained' } : became) });
    }
    return [...answers.values()];
  }

  /** Whether a step is due though nothing is wished for. */
  get hasToReturn(): boolean {
    return this.#open.size > 0;
  }

  async #bring(target: PrescaleTarget, replicas: number, until: string): Promise<Omit<WishAnswer, 'id'>> {
    const { namespace, name } = target;
    const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`;
    try {
      const answer = await this.#parts.request('GET', path, null, AbortSignal.timeout(REQUEST_MS));
      const autoscaler = autoscalerOf(answer);
      if (autoscaler === null) return this.#unable(target, problemOf(answer));
      const patch = patchOf(autoscaler, target, replicas, until);
      if (patch !== null) {
        const patched = await this.#parts.request('PATCH', path, patch.body, AbortSignal.timeout(REQUEST_MS));
        // The autoscaler changed between the two requests: the next step sees it as it is then.
        if (patched.status === 409) return { state: 'taken', detail: '' };
        if (patched.status !== 200) return this.#unable(target, problemOf(patched));
        this.#parts.log.info({ autoscaler: `${namespace}/${name}`, minimum: patch.minimum, until }, patch.what);
      }
      if (replicas === 0) this.#open.delete(target);
      else this.#open.add(target);
      return reached(autoscaler, target, replicas);
    } catch (error) {
      return this.#unable(target, error instanceof Error ? error.message : String(error));
    }
  }

  #unable({ namespace, name }: PrescaleTarget, problem: string): Omit<WishAnswer, 'id'> {
    this.#parts.log.warn(
      { autoscaler: `${namespace}/${name}`, problem },
      'the minimum of an autoscaler cannot be brought to what is wished for',
    );
    return { state: 'unable', detail: answerDetail(problem) };
  }
}

interface Patch {
  readonly body: object;
  readonly minimum: number;
  readonly what: string;
}

/**
 * What changes an autoscaler into what is wished for; null: it is so. A minimum that is not what an agent set is somebody's own and is kept
 * from then on. The version that was read goes along, so that nothing that happens in between is overwritten.
 */
function patchOf(autoscaler: Autoscaler, target: PrescaleTarget, replicas: number, until: string): Patch | null {
  const { raised, resourceVersion } = autoscaler;
  const minimum = autoscaler.minimum ?? DEFAULT_MINIMUM;
  const ours = raised !== null && raised.raised === minimum;
  const was = ours ? raised.was : autoscaler.minimum;
  const wanted = Math.max(was ?? DEFAULT_MINIMUM, Math.min(replicas, bound(autoscaler, target)));
  const isRaised = wanted > (was ?? DEFAULT_MINIMUM);
  if (isRaised) {
    const note: Raised = { was, raised: wanted, until };
    if (ours && minimum === wanted && Math.abs(Date.parse(raised.until) - Date.parse(until)) < UNTIL_SLACK_MS) return null;
    const annotations = { [RAISED_ANNOTATION]: JSON.stringify(note) };
    return { body: { metadata: { resourceVersion, annotations }, spec: { minReplicas: wanted } }, minimum: wanted, what: 'minimum raised' };
  }
  if (raised === null) return null;
  const spec = ours ? { spec: { minReplicas: was } } : {};
  const body = { metadata: { resourceVersion, annotations: { [RAISED_ANNOTATION]: null } }, ...spec };
  return { body, minimum: was ?? DEFAULT_MINIMUM, what: 'minimum put back' };
}

function bound({ maximum }: Autoscaler, { most }: PrescaleTarget): number {
  return Math.min(maximum, most ?? maximum);
}

function reached(autoscaler: Autoscaler, target: PrescaleTarget, replicas: number): Omit<WishAnswer, 'id'> {
  const most = bound(autoscaler, target);
  const { current } = autoscaler;
  const where = `${target.namespace}/${target.name}`;
  if (replicas > most) {
    const detail = answerDetail(`${where}: ${replicas} replicas are needed and ${most} allowed; ${current} run`);
    return { state: current >= most ? 'unable' : 'taken', detail };
  }
  return { state: current >= replicas ? 'done' : 'taken', detail: answerDetail(`${where}: ${current} of ${replicas} replicas run`) };
}

/** Null: not an autoscaler. */
function autoscalerOf({ status, body }: KubernetesAnswer): Autoscaler | null {
  const resourceVersion = memberOf(body, 'metadata', 'resourceVersion');
  const maximum = memberOf(body, 'spec', 'maxReplicas');
  if (status !== 200 || typeof resourceVersion !== 'string' || typeof maximum !== 'number') return null;
  const minimum = memberOf(body, 'spec', 'minReplicas');
  const current = memberOf(body, 'status', 'currentReplicas');
  return {
    resourceVersion,
    maximum,
    minimum: typeof minimum === 'number' ? minimum : null,
    current: typeof current === 'number' ? current : 0,
    raised: raisedOf(memberOf(body, 'metadata', 'annotations', RAISED_ANNOTATION)),
  };
}

/** Null: there is no note, or none that can be read; the minimum is then taken for somebody's own. */
function raisedOf(text: unknown): Raised | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    const [was, raised, until] = [memberOf(value, 'was'), memberOf(value, 'raised'), memberOf(value, 'until')];
    if ((was !== null && typeof was !== 'number') || typeof raised !== 'number' || typeof until !== 'string') return null;
    return { was, raised, until };
  } catch {
    return null;
  }
}
