// The gate on a PromQL expression: an instant query, of which every element has to be good (Prometheus HTTP API, "Instant queries").
import type { Bound, PrometheusSource } from '../../config/gate-config.ts';
import type { Judgement } from '../gate.ts';
import { judgeFigure, nothingSaid, parseJson, quoted, withNames, type SourceKind } from '../asked-gate.ts';

export const prometheusSource: SourceKind<PrometheusSource> = {
  urlOf: ({ url, query }, about) => {
    const target = new URL(url);
    target.pathname = `${target.pathname.replace(/\/$/, '')}/api/v1/query`;
    target.searchParams.set('query', withNames(query, about));
    return target.href;
  },
  read: (_source, bound, { status, body }) => {
    const answer = parseJson(body)?.value;
    if (field(answer, 'status') === 'error') return nothingSaid(`Prometheus says ${errorOf(answer)}`);
    if (field(answer, 'status') !== 'success') return nothingSaid(`status ${status}, and no answer of Prometheus`);
    const data = field(answer, 'data');
    return judge(field(data, 'resultType'), field(data, 'result'), bound);
  },
};

function judge(type: unknown, result: unknown, bound: Bound): Judgement {
  if (type === 'scalar') return judgeAll([figureOf(result)], bound);
  if (type !== 'vector' || !Array.isArray(result))
    return nothingSaid(
      `the expression gives a ${typeof type === 'string' ? quoted(type) : 'result of no type'}; expected a scalar or an instant vector`,
    );
  if (result.length === 0) return nothingSaid('the result is empty');
  return judgeAll(
    result.map((element: unknown) => figureOf(field(element, 'value'))),
    bound,
  );
}

/** One that is bad is enough; one that says nothing leaves the others without a pass. */
function judgeAll(figures: readonly number[], bound: Bound): Judgement {
  const judged = figures.map((figure) => judgeFigure(figure, bound));
  const decisive =
    judged.find(({ verdict }) => verdict === 'fail') ?? judged.find(({ verdict }) => verdict === 'insufficient') ?? judged[0];
  if (decisive === undefined) return nothingSaid('the result is empty');
  return figures.length === 1 ? decisive : { ...decisive, says: `${decisive.says} (of ${figures.length} series)` };
}

/** `[unix time, "value"]`; the value is a text, since JSON has no NaN and no Inf. */
function figureOf(sample: unknown): number {
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined;
  if (typeof text !== 'string' || text === '') return Number.NaN;
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

/** Its own words for what is wrong with the expression. */
function errorOf(answer: unknown): string {
  const [type, error] = [field(answer, 'errorType'), field(answer, 'error')].map((part) => (typeof part === 'string' ? part : ''));
  return quoted([type, error].filter((part) => part !== '').join(': '));
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
