// What templates of fields may say of a request: `request.id`, `client.address`, `claims.sub`, `path.2` and so on.
import type { CanonicalRequest } from '../message/request.ts';
import { parseKeySource, requestKey } from '../message/request-key.ts';
import type { ResponseHead } from '../message/response.ts';
import { claimAt, fieldText } from './authenticate/claims.ts';
import type { Value, Vocabulary } from './template.ts';

/** What a field is filled with. */
export interface FieldSource {
  readonly request: CanonicalRequest;
  /** Null: there is none yet. */
  readonly response: Readonly<ResponseHead> | null;
}

const FIXED: Readonly<Record<string, (from: CanonicalRequest) => string>> = {
  'request.id': ({ requestId }) => requestId,
  'request.method': ({ method }) => method,
  'request.scheme': ({ scheme }) => scheme,
  'request.host': ({ host }) => host,
  'request.authority': ({ authority }) => authority,
  'request.path': ({ path }) => path,
  'request.query': ({ query }) => query,
  'client.address': ({ clientAddress }) => clientAddress,
  'client.certificate': ({ clientCertificate }) => clientCertificate?.subject ?? '',
  listener: ({ listener }) => listener,
  consumer: ({ identity }) => identity?.consumer ?? '',
  'consumer.groups': ({ identity }) => identity?.groups.join(',') ?? '',
  'consumer.credential': ({ identity }) => identity?.credential ?? '',
};

const NAMED: readonly string[] = ['claims.NAME', 'header.NAME', 'cookie.NAME', 'query.NAME', 'path.N'];
const RESPONSE_STATUS = 'response.status';

/** `answered`: there is a response too. */
export function fieldVocabulary(answered: boolean): Vocabulary<FieldSource> {
  return {
    names: [...Object.keys(FIXED), ...NAMED, ...(answered ? [RESPONSE_STATUS] : [])],
    find(name) {
      if (name === RESPONSE_STATUS)
        return answered
          ? ({ response }) => `${response?.status ?? ''}`
          : 'there is no response yet; only fields of the response can tell its status';
      const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
      return fixed === undefined ? namedValue(name) : ({ request }) => fieldSafe(fixed(request));
    },
  };
}

function namedValue(name: string): Value<FieldSource> | string | null {
  const dot = name.indexOf('.');
  const [family, own] = [name.slice(0, dot), name.slice(dot + 1)];
  if (family === 'claims') return own === '' ? 'the name of a claim is missing' : ({ request }) => claimOf(request, own);
  if (family === 'path') return pathElement(own);
  const source = ['header', 'cookie', 'query'].includes(family) ? parseKeySource(`${family}:${own}`) : null;
  if (source === null)
    return ['header', 'cookie', 'query'].includes(family) ? `"${own}" is not a name; expected letters, digits and -` : null;
  return ({ request }) => fieldSafe(requestKey(source, request) ?? '');
}

const claimOf = ({ identity }: CanonicalRequest, name: string): string =>
  identity === null || identity.claims === null ? '' : (fieldText(claimAt(identity.claims, name)) ?? '');

/** `path.1` is what stands between the first two slashes. */
function pathElement(text: string): Value<FieldSource> | string {
  const number = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  return number === 0
    ? 'expected the number of an element of the path, 1 to 99'
    : ({ request }) => fieldSafe(request.path.split('/', number + 1)[number] ?? '');
}

/** Neither controls, which could end the field early, nor characters beyond a byte, which are cut to bytes that could. */
const UNSPEAKABLE = /[^\t\x20-\x7e\x80-\xff]/;

/** What cannot stand in a field as it is says nothing. */
const fieldSafe = (value: string): string => (UNSPEAKABLE.test(value) ? '' : value.trim());
