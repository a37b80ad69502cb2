// Filters addressLimit and rateLimit: how often somebody may ask; the one before it is known who calls, the other after.
import type { LimitConfig } from '../../config/limit-config.ts';
import { Type, type Static } from '../../schema/type.ts';
import { listOf, mapping, valueOf } from '../../config/schema-parts.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead } from '../../message/response.ts';
import type { BodyTransform, Filter, FilterDefinition, FilterEnvironment, RequestVerdict } from '../filter.ts';
import type { Decision } from './allowances.ts';
import { AnswerCosts } from './answer-costs.ts';
import { costOf, problemOfCost, type CostOf } from './cost.ts';
import { limitKey } from './limit-key.ts';
import { isExempt, limitFor, oneLimit, type OneLimit } from './one-limit.ts';
import { retryAfter, tellLimit } from './told.ts';

const MOST_COST = 1_000_000;

const fromAnswer = mapping(
  {
    field: valueOf(
      'fieldName',
      'Field of the answer, in its head or behind its body, whose whole number is what the request has cost, in place of `cost`',
    ),
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
        minimum: 0,
        maximum: MOST_COST,
        description:
          'What a request of this route takes of each of them: all of it, or it is refused. 0: it passes where anything is left, and `costFromAnswer` says what it has cost',
      }),
      costExpression: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 4096,
          description:
            'In place of `cost`, a number in CEL: `request.method == "GET" ? 1 : 10`, `int(request.headers["x-units"])`; see [Conditions](../conditions.md)',
        }),
      ),
      mostCost: Type.Integer({
        default: 1000,
        minimum: 1,
        maximum: MOST_COST,
        description: 'The most that a request takes by an expression, and what it takes where that has no value',
      }),
      costFromAnswer: Type.Optional(fromAnswer),
    },
    `Options of ${filter}`,
  );

type Options = Static<ReturnType<typeof schema>>;

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
      const { limits, cost, costExpression, costFromAnswer } = options as Options;
      const isCosted = cost !== 1 || costExpression !== undefined || costFromAnswer !== undefined;
      const problem = costExpression === undefined ? null : problemOfCost(costExpression, early);
      if (problem !== null) place.report(['costExpression'], problem);
      if (cost !== 1 && costExpression !== undefined)
        place.report(['cost'], 'costExpression says what a request costs; leave one of them out');
      if (cost === 0 && costExpression === undefined && costFromAnswer === undefined)
        place.report(['cost'], 'nothing is counted; write what a request costs, or where its answer tells it (costFromAnswer)');
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

/** A slot that a request has. */
type Hold = readonly [limit: string, key: string];

/** What an answer tells of a limit. */
interface Said {
  readonly config: LimitConfig;
  readonly decision: Decision;
}

class LimitFilter implements Filter {
  readonly #environment: FilterEnvironment;
  readonly #limits: readonly OneLimit[];
  /** Null: each request is one. */
  readonly #costOf: CostOf | null;
  /** Null: no answer tells what its request has cost. */
  readonly #costs: AnswerCosts | null;
  readonly #said = new WeakMap<CanonicalRequest, Said[]>();
  /** Null: the request has ended. */
  readonly #holds = new WeakMap<CanonicalRequest, Hold[] | null>();
  readonly onEnd?: (request: CanonicalRequest) => void;
  readonly onResponseBody?: (request: CanonicalRequest) => BodyTransform | null;

  constructor({ limits, cost, costExpression, mostCost, costFromAnswer }: Options, environment: FilterEnvironment) {
    this.#environment = environment;
    const { allowances, clock } = environment;
    this.#costOf = costOf(costExpression ?? cost, mostCost, environment);
    const costs =
      costFromAnswer === undefined
        ? null
        : new AnswerCosts({ allowances, clock, field: costFromAnswer.field.toLowerCase(), keep: costFromAnswer.keep });
    this.#costs = costs;
    if (costs !== null) this.onResponseBody = (request) => costs.watch(request);
    this.#limits = limits.flatMap((name) => {
      const config = environment.limits[name];
      return config === undefined ? [] : [oneLimit(config, environment)];
    });
    if (this.#limits.some(({ config }) => config.algorithm === 'concurrency')) this.onEnd = (request) => this.#end(request);
  }

  readonly onRequest = (request: CanonicalRequest): RequestVerdict | Promise<RequestVerdict> =>
    this.#from(request, 0, this.#costOf === null ? 1 : this.#costOf(request));

  readonly onResponse = (request: CanonicalRequest, head: ResponseHead): void => {
    const more = this.#costs?.settle(request, head) ?? null;
    for (const { config, decision } of this.#said.get(request) ?? []) {
      const used = more?.get(config.name) ?? 0;
      tellLimit(head.fields, config, used === 0 ? decision : { ...decision, remaining: Math.max(0, decision.remaining - used) });
    }
  };

  /** Waits only for a limit of which too little is in hand. */
  #from(request: CanonicalRequest, index: number, cost: number): RequestVerdict | Promise<RequestVerdict> {
    const { allowances, route, consumers } = this.#environment;
    for (let i = index; i < this.#limits.length; i += 1) {
      const limit = this.#limits[i];
      if (limit === undefined || isExempt(limit, request)) continue;
      const config = limitFor(limit, request, consumers);
      const key = limitKey(config, request, route);
      const decision =
        config.algorithm === 'concurrency'
          ? this.#hold(config, key, request)
          : this.#costs === null
            ? allowances.take(config, key, cost)
            : this.#takeNoted(request, { config, key, count: cost }, this.#costs);
      if (decision instanceof Promise)
        return decision.then((later) => this.#judge(limit, config, request, later) ?? this.#from(request, i + 1, cost));
      const verdict = this.#judge(limit, config, request, decision);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** What the answer says is settled against. */
  #takeNoted(request: CanonicalRequest, wanted: Parameters<AnswerCosts['taken']>[1], costs: AnswerCosts): Decision | Promise<Decision> {
    const decision = this.#environment.allowances.take(wanted.config, wanted.key, wanted.count);
    const keep = (taken: Decision): Decision => {
      costs.taken(request, wanted, taken);
      return taken;
    };
    return decision instanceof Promise ? decision.then(keep) : keep(decision);
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
      const said = this.#said.get(request) ?? [];
      said.push({ config, decision });
      this.#said.set(request, said);
    }
    if (decision.verdict === 'pass') return undefined;
    const code = config.algorithm === 'concurrency' ? 'too_many_at_once' : 'rate_limited';
    return { code, detail: `limit ${config.name} is used up`, fields: ['retry-after', retryAfter(decision.resetMs)] };
  }
}
