// Filters addressLimit and rateLimit: how often somebody may ask; the one before it is known who calls, the other after.
import type { Static } from '../../schema/type.ts';
import { listOf, mapping, valueOf } from '../../config/schema-parts.ts';
import type { Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { Filter, FilterDefinition, FilterEnvironment, RequestVerdict } from '../filter.ts';
import type { Decision } from './allowances.ts';
import { limitKey } from './limit-key.ts';
import { isExempt, oneLimit, type OneLimit } from './one-limit.ts';
import { retryAfter, tellLimit } from './told.ts';

const schema = (filter: string) =>
  mapping(
    {
      limits: listOf(
        valueOf('name', 'Limit'),
        'Limits, by their names under `limits`; each counts, and the first that is used up refuses',
        { minItems: 1 },
      ),
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
    answers: ['rate_limited', 'limits_unavailable'],
    complete(options, place) {
      const { limits } = options as Options;
      limits.forEach((limit, index) => {
        const parts = place.limits.get(limit);
        if (parts === undefined)
          place.report(
            ['limits', index],
            `limit "${limit}" is not declared; expected one of limits: ${[...place.limits.keys()].join(', ') || 'none yet'}`,
          );
        else if (early && parts.some((part) => OF_CALLERS.has(part.replace(/:.*/, ''))))
          place.report(
            ['limits', index],
            `limit "${limit}" counts by ${parts.join(', ')}, and nobody knows yet who calls; name it in rateLimit, which comes after authenticate`,
          );
      });
      return options;
    },
    create: (options, environment) => new LimitFilter((options as Options).limits, environment),
  };
}

export const addressLimit = definition('addressLimit', 'Limits how often somebody may ask, before it is known who calls.', true);
export const rateLimit = definition('rateLimit', 'Limits how often callers may ask.', false);

class LimitFilter implements Filter {
  readonly #environment: FilterEnvironment;
  readonly #limits: readonly OneLimit[];
  /** What the answer tells. */
  readonly #told = new WeakMap<CanonicalRequest, Fields>();

  constructor(names: readonly string[], environment: FilterEnvironment) {
    this.#environment = environment;
    this.#limits = names.flatMap((name) => {
      const config = environment.limits[name];
      return config === undefined ? [] : [oneLimit(config, environment)];
    });
  }

  readonly onRequest = (request: CanonicalRequest): RequestVerdict | Promise<RequestVerdict> => this.#from(request, 0);

  readonly onResponse = (request: CanonicalRequest, { fields }: { fields: Fields }): void => {
    const told = this.#told.get(request);
    if (told !== undefined) fields.push(...told);
  };

  /** Waits only for a limit of which nothing is in hand. */
  #from(request: CanonicalRequest, index: number): RequestVerdict | Promise<RequestVerdict> {
    const { allowances, route } = this.#environment;
    for (let i = index; i < this.#limits.length; i += 1) {
      const limit = this.#limits[i];
      if (limit === undefined || isExempt(limit, request)) continue;
      const decision = allowances.take(limit.config, limitKey(limit.config, request, route));
      if (decision instanceof Promise) return decision.then((later) => this.#judge(limit, request, later) ?? this.#from(request, i + 1));
      const verdict = this.#judge(limit, request, decision);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #judge({ config, refused, unknown }: OneLimit, request: CanonicalRequest, decision: Decision): RequestVerdict {
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
    return { code: 'rate_limited', detail: `limit ${config.name} is used up`, fields: ['retry-after', retryAfter(decision.resetMs)] };
  }
}
