// Asking whether a stored response still holds, in place of asking for it again (RFC 9111 section 4.3).
import { fieldIndex, fieldValue, type Fields } from '../../message/fields.ts';
import type { BodyTransform, LastBytes } from '../filter.ts';

const EMPTY = Buffer.alloc(0);
/** A client that asks by one of these gets what the service says to that. */
const CONDITIONS: readonly string[] = ['if-none-match', 'if-modified-since', 'range', 'if-range'];

export const isConditional = (asked: Readonly<Fields>): boolean => CONDITIONS.some((name) => fieldIndex(asked, name) >= 0);

export const withoutConditions = (asked: Readonly<Fields>): Fields =>
  asked.filter((_, index) => !CONDITIONS.includes(asked[index - (index % 2)] ?? ''));

/** Fields by which a service may say that nothing has changed; none: it cannot be asked. */
export function conditionsFor(stored: Readonly<Fields>): Fields {
  const etag = fieldValue(stored, 'etag');
  const modified = fieldValue(stored, 'last-modified');
  return [...(etag === undefined ? [] : ['if-none-match', etag]), ...(modified === undefined ? [] : ['if-modified-since', modified])];
}

/** Whether a 304 speaks of the stored response; `byOurs`: it answers to its tag, or date. */
export function speaksOf(stored: Readonly<Fields>, told: Readonly<Fields>, byOurs: boolean): boolean {
  const [one, other] = [fieldValue(stored, 'etag'), fieldValue(told, 'etag')];
  return other === undefined ? byOurs : one?.replace(/^W\//, '') === other.replace(/^W\//, '');
}

/** Of one answer, or of bytes that a 304 does not have. */
const NOT_TAKEN: ReadonlySet<string> = new Set([
  'set-cookie',
  'content-encoding',
  'content-type',
  'content-range',
  'content-length',
  'x-request-id',
]);

/** The stored fields, with what a 304 says in place of what was said before (RFC 9111 section 3.2); its age with them. */
export function mergedFields(stored: Readonly<Fields>, told: Readonly<Fields>, wallMs: number): Fields {
  const taken: Fields = [];
  const names = new Set<string>(['date']);
  for (let i = 0; i < told.length; i += 2) {
    const name = told[i] ?? '';
    if (NOT_TAKEN.has(name)) continue;
    taken.push(name, told[i + 1] ?? '');
    names.add(name);
  }
  if (fieldIndex(taken, 'date') < 0) taken.push('date', new Date(wallMs).toUTCString());
  const kept = stored.filter((_, index) => !names.has(stored[index - (index % 2)] ?? ''));
  return [...kept, ...taken];
}

/** What a 304 sets for this client alone. */
export const cookiesOf = (told: Readonly<Fields>): Fields => told.filter((_, index) => told[index - (index % 2)] === 'set-cookie');

/** A stored body in place of the one that comes, which is empty. */
export class BodyInstead implements BodyTransform {
  readonly #body: Buffer;

  constructor(body: Buffer) {
    this.#body = body;
  }

  push(): Buffer {
    return EMPTY;
  }

  end(): LastBytes {
    return { bytes: this.#body, trailers: [] };
  }
}
