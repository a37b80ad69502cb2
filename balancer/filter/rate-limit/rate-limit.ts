// Filters addressLimit and rateLimit: how often somebody may ask; the one before it is known who calls, the other after.
import type { LimitConfig } from '../../config/limit-config.ts';
import { Type, type Static } from '../../schema/type.ts';
import { listOf, mapping, valueOf } from '../../config/schema-parts.ts';
import { fieldValue, removeField, type Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { Filter, FilterDefinition, FilterEnvironment, RequestVerdict } from '../filter.ts';
import type { Decision } from './allowances.ts';
import { limitKey } from './limit-key.ts';
import { isExempt, limitFor, oneLimit, type OneLimit } from './one-limit.ts';
import { retryAfter, tellLimit } from './told.ts';

const MOST_COST = 1_000_000;

const fromAnswer = mapping(
  {
    field: valueOf('fieldName', 'Field of the answer whose whole number is what the request has cost, in place of `cost`'),
    keep: Type.Boolean({ default: false, description: 'Let the client see the field' }),
  },
  'Where the answer says what the request has cost: what it says beyond `cost` is used up even where it was not there any more, and what it says less is free again',
);

const schema = (filter: string) =>
  mapping(
    {
      limits: listOf(
        valueOf('name', 'Limit'),
        'Limits, by their names under `limits`; each counts, and the first that is used up refuses',
        { minItems: 1 },
      ),
      cost: Type.Integer({
        default: 1,
        minimum: 1,
        maximum: MOST_COST,
        description: 'What a request of this route takes of each of them: all of it, or it is refused',
      }),
      costFromAnswer: Type.Optional(fromAnswer),
    },
    `Options of ${filter}`,
  );

type Options = Static<ReturnType<typeof schema>>;

/** As a whole number of at most nine digits. */
const COST = /^\d{1,9}$/;

/** Parts of a key that are known only when it is known who calls. */
const OF_CALLERS: ReadonlySet<string> = new Set(['consumer', 'claim']);

function definition(name: string, summary: string, early: boolean): FilterDefinition {
  return {
    name,
    summary,
    schema: schema(name),
    example: '{ limits: [by-address] }',
    answers: ['rate_limited', 'too_many_at_once', 'limits_unavailable'],
    complete(options, place) {
      const { limits, cost, costFromAnswer } = options as Options;
      const isCosted = cost > 1 || costFromAnswer !== undefined;
      limits.forEach((limit, index) => {
        const declared = place.limits.get(limit);
        if (declared === undefined)
          place.report(
            ['limits', index],
            `limit "${limit}" is not declared; expected one of limits: ${[...place.limits.keys()].join(', ') || 'none yet'}`,
          );
        else if (isCosted && declared.isOfThoseAtOnce)
          place.report(
            ['limits', index],
            `limit "${limit}" counts requests at once, of which each is one; leave out cost and costFromAnswer, or name it in a filter of its own`,
          );
        else if (cost > declared.most && !declared.by.includes('consumer'))
          place.report(
            ['cost'],
            `limit "${limit}" never lets ${cost} pass at once, so every request would be refused; expected 1 to ${declared.most}`,
          );
        else if (early && declared.by.some((part) => OF_CALLERS.has(part.replace(/:.*/, ''))))
          place.report(
            ['limits', index],
            `limit "${limit}" counts by ${declared.by.join(', ')}, and nobody knows yet who calls; name it in rateLimit, which comes after authenticate`,
          );
      });
      return options;
    },
    create: (options, environment) => new LimitFilter(options as Options, environment),
  };
}

export const addressLimit = definition('addressLimit', 'Limits how often somebody may ask, before it is known who calls.', true);
export const rateLimit = definition('rateLimit', 'Limits how often callers may ask.', false);

/** What was taken of a limit. */
interface Cost {
  readonly config: LimitConfig;
  readonly key: string;
}

/** A slot that a request has. */
type Hold = readonly [limit: string, key: string];

class LimitFilter implements Filter {
  readonly #environment: FilterEnvironment;
  readonly #limits: readonly OneLimit[];
  readonly #cost: number;
  /** Of the answer, with the cost; empty: it says nothing. */
  readonly #field: string;
  readonly #keepsField: boolean;
  /** Where the answer says what it has cost. */
  readonly #costs = new WeakMap<CanonicalRequest, Cost[]>();
  /** What the answer tells. */
  readonly #told = new WeakMap<CanonicalRequest, Fields>();
  /** Null: the request has ended. */
  readonly #holds = new WeakMap<CanonicalRequest, Hold[] | null>();
  readonly onEnd?: (request: CanonicalRequest) => void;

  constructor({ limits, cost, costFromAnswer }: Options, environment: FilterEnvironment) {
    this.#environment = environment;
    this.#cost = cost;
    this.#field = costFromAnswer?.field.toLowerCase() ?? '';
    this.#keepsField = costFromAnswer?.keep ?? false;
    this.#limits = limits.flatMap((name) => {
      const config = environment.limits[name];
      return config === undefined ? [] : [oneLimit(config, environment)];
    });
    if (this.#limits.some(({ config }) => config.algorithm === 'concurrency')) this.onEnd = (request) => this.#end(request);
  }

  readonly onRequest = (request: CanonicalRequest): RequestVerdict | Promise<RequestVerdict> => this.#from(request, 0);

  readonly onResponse = (request: CanonicalRequest, { fields }: { fields: Fields }): void => {
    if (this.#field !== '') this.#settle(request, fields);
    const told = this.#told.get(request);
    if (told !== undefined) fields.push(...told);
  };

  /** Once: what is answered anew has cost nothing more. */
  #settle(request: CanonicalRequest, fields: Fields): void {
    const text = fieldValue(fields, this.#field);
    if (text === undefined) return;
    if (!this.#keepsField) removeField(fields, this.#field);
    const costs = this.#costs.get(request) ?? [];
    this.#costs.delete(request);
    if (!COST.test(text)) return;
    const { allowances } = this.#environment;
    for (const { config, key } of costs) allowances.charge(config, key, Number(text) - this.#cost);
  }

  /** Waits only for a limit of which nothing is in hand. */
  #from(request: CanonicalRequest, index: number): RequestVerdict | Promise<RequestVerdict> {
    const { allowances, route, consumers } = this.#environment;
    for (let i = index; i < this.#limits.length; i += 1) {
      const limit = this.#limits[i];
      if (limit === undefined || isExempt(limit, request)) continue;
      const config = limitFor(limit, request, consumers);
      const key = limitKey(config, request, route);
      const decision = config.algorithm === 'concurrency' ? this.#hold(config, key, request) : allowances.take(config, key, this.#cost);
      if (this.#field !== '') this.#note(request, { config, key });
      if (decision instanceof Promise)
        return decision.then((later) => this.#judge(limit, config, request, later) ?? this.#from(request, i + 1));
      const verdict = this.#judge(limit, config, request, decision);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #note(request: CanonicalRequest, cost: Cost): void {
    const costs = this.#costs.get(request);
    if (costs === undefined) this.#costs.set(request, [cost]);
    else costs.push(cost);
  }

  #hold(config: LimitConfig, key: string, request: CanonicalRequest): Decision | Promise<Decision> {
    const { slots } = this.#environment;
    if (!this.#holds.has(request)) this.#holds.set(request, []);
    const keep = (decision: Decision): Decision => {
      if (decision.verdict !== 'pass') return decision;
      const holds = this.#holds.get(request) ?? null;
      // The client has left while it waited.
      if (holds === null) slots.release(config.name, key);
      else holds.push([config.name, key]);
      return decision;
    };
    const decision = slots.acquire(config, key);
    return decision instanceof Promise ? decision.then(keep) : keep(decision);
  }

  #end(request: CanonicalRequest): void {
    const holds = this.#holds.get(request) ?? [];
    if (this.#holds.has(request)) this.#holds.set(request, null);
    for (const [limit, key] of holds) this.#environment.slots.release(limit, key);
  }

  #judge({ refused, unknown }: OneLimit, config: LimitConfig, request: CanonicalRequest, decision: Decision): RequestVerdict {
    if (decision.verdict === 'unknown' || decision.verdict === 'uncounted') {
      unknown.add(1);
      if (config.shadow || decision.verdict === 'uncounted') return undefined;
      return { code: 'limits_unavailable', detail: `limit ${config.name}: nobody can say how many there were`, fields: [] };
    }
    if (decision.verdict === 'refuse') refused.add(1);
    if (config.shadow) return undefined;
    if (config.headers !== 'none') {
      const told = this.#told.get(request) ?? [];
      tellLimit(told, config, decision);
      this.#told.set(request, told);
    }
    if (decision.verdict === 'pass') return undefined;
    const code = config.algorithm === 'concurrency' ? 'too_many_at_once' : 'rate_limited';
    return { code, detail: `limit ${config.name} is used up`, fields: ['retry-after', retryAfter(decision.resetMs)] };
  }
}
