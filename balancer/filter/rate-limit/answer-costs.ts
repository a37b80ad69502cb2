// What requests have cost in the end, as their answers tell it: what that is more than was taken for them is counted then, and what it is less goes back.
import type { LimitConfig } from '../../config/limit-config.ts';
import { removeField, type Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead } from '../../message/response.ts';
import type { BodyTransform, FilterEnvironment } from '../filter.ts';
import type { Decision } from './allowances.ts';
import { toldCost } from './cost.ts';

interface Taken {
  readonly config: LimitConfig;
  readonly key: string;
  readonly count: number;
}

interface Open extends Taken {
  readonly atMs: number;
}

export interface AnswerCostsOptions extends Pick<FilterEnvironment, 'allowances' | 'clock'> {
  /** In lower case. */
  readonly field: string;
  /** Whether clients get to see it. */
  readonly keep: boolean;
}

export class AnswerCosts {
  readonly #options: AnswerCostsOptions;
  /** Of requests whose answers have not told it yet. */
  readonly #open = new WeakMap<CanonicalRequest, readonly Open[]>();

  constructor(options: AnswerCostsOptions) {
    this.#options = options;
  }

  /** Nothing was taken of a limit in the shadow that would have refused. */
  taken(request: CanonicalRequest, { config, key, count }: Taken, { verdict }: Decision): void {
    if (verdict !== 'pass' && !(verdict === 'refuse' && config.shadow)) return;
    const one = { config, key, count: verdict === 'pass' ? count : 0, atMs: this.#options.clock.nowMs() };
    this.#open.set(request, [...(this.#open.get(request) ?? []), one]);
  }

  /** By what the head tells; what each limit has counted more, by its name. What was answered before, to another request, was paid by that one. */
  settle(request: CanonicalRequest, { fields, own, isRecalled }: ResponseHead): ReadonlyMap<string, number> | null {
    const told = toldCost(fields, this.#options.field);
    const isAnswered = own === undefined && isRecalled === undefined;
    if (!this.#options.keep) removeField(fields, this.#options.field);
    if (!isAnswered) this.#open.delete(request);
    return told === null ? null : this.#charge(request, told);
  }

  /** By what stands behind the body; null: all is told. */
  watch(request: CanonicalRequest): BodyTransform | null {
    if (!this.#open.has(request)) return null;
    const { field, keep } = this.#options;
    return {
      watches: true,
      push: (chunk) => chunk,
      end: (trailers: Fields) => {
        const told = toldCost(trailers, field);
        if (told !== null) this.#charge(request, told);
        if (!keep) removeField(trailers, field);
        return { bytes: EMPTY, trailers };
      },
    };
  }

  /** Once. */
  #charge(request: CanonicalRequest, told: number): ReadonlyMap<string, number> {
    const { allowances, clock } = this.#options;
    const more = new Map<string, number>();
    for (const { config, key, count, atMs } of this.#open.get(request) ?? []) {
      more.set(config.name, told - count);
      if (told !== count) allowances.charge(config, key, { count: told - count, ageMs: clock.nowMs() - atMs });
    }
    this.#open.delete(request);
    return more;
  }
}

const EMPTY = Buffer.alloc(0);
