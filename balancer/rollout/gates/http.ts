// The gate on the answer of a URL: its status, or a number in its JSON.
import type { HttpSource } from '../../config/gate-config.ts';
import type { Judgement } from '../gate.ts';
import { judgeFigure, nothingSaid, parseJson, withNames, type SourceKind } from '../asked-gate.ts';

/** Who says these did not look at the question: who is asked is away, busy, or wants other credentials. */
const NO_ANSWER: readonly number[] = [401, 403, 407, 408, 429, 502, 503, 504];

export const httpSource: SourceKind<HttpSource> = {
  urlOf: ({ url }, about) => withNames(url, about),
  read: ({ statuses, value }, bound, { status, body }) => {
    const good = statuses.some(({ from, to }) => status >= from && status <= to);
    if (value === null) return judgeStatus(status, good);
    if (!good) return nothingSaid(`status ${status}, and no figure`);
    const parsed = parseJson(body);
    if (parsed === null) return nothingSaid('the answer is no JSON');
    const found = at(parsed.value, value);
    return typeof found === 'number' ? judgeFigure(found, bound) : nothingSaid(`there is no number at ${value}`);
  },
};

function judgeStatus(status: number, good: boolean): Judgement {
  const says = `status ${status}`;
  if (good) return { verdict: 'pass', says };
  return { verdict: NO_ANSWER.includes(status) ? 'insufficient' : 'fail', says };
}

/** RFC 6901 section 4; undefined: nothing is there. */
function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}
