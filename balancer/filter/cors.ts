// Filter cors: which pages of other origins may read answers (Fetch, section 3.3), and the answers to their preflights.
import { Type, type Static } from '../schema/type.ts';
import { durationMs } from '../config/quantities.ts';
import { duration, listOf, mapping, valueOf } from '../config/schema-parts.ts';
import { fieldIndex, fieldValue, removeField, setField, type Fields } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { LocalReply } from '../message/response.ts';
import { addVary } from '../message/vary.ts';
import type { FilterDefinition } from './filter.ts';
import { originTable } from './origins.ts';

/** What cors alone says; an answer of the service never says it in its place. */
const OWN = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
];

const schema = mapping(
  {
    origins: listOf(
      valueOf('origin', 'Origin'),
      'Origins that may: `https://app.example.com`, `https://*.example.com` for all names below, or `*` for all, without credentials',
      { minItems: 1 },
    ),
    methods: listOf(valueOf('method', 'Method'), 'Methods that preflights allow', {
      default: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    }),
    headers: listOf(
      valueOf('fieldName', 'Field'),
      'Fields that preflights allow besides those that need none; absent: those the preflight asks for',
      { default: [] },
    ),
    expose: listOf(valueOf('fieldName', 'Field'), 'Fields of answers that pages may read besides those that all may', { default: [] }),
    credentials: Type.Boolean({ default: false, description: 'Whether cookies and credentials may be sent along' }),
    maxAge: duration('How long a browser may remember the answer to a preflight', '10m'),
  },
  'Options of cors',
);

type Options = Omit<Static<typeof schema>, 'maxAge'> & { readonly maxAgeS: number };

export const cors: FilterDefinition = {
  name: 'cors',
  summary: 'Lets pages of other origins read answers, and answers their preflights.',
  schema,
  example: '{ origins: ["https://app.example.com"], credentials: true }',
  problem(options) {
    const { origins, credentials } = options as Static<typeof schema>;
    if (!credentials || !origins.includes('*')) return null;
    return 'cors: origins "*" with credentials would let every page act in the name of its reader; name the origins';
  },
  complete(options) {
    const { maxAge, ...rest } = options as Static<typeof schema>;
    return { ...rest, maxAgeS: Math.round(durationMs(maxAge) / 1000) };
  },
  create(options) {
    const given = options as Options;
    const isAllowed = originTable(given.origins);
    const any = given.origins.includes('*');
    const exposed = given.expose.join(', ');
    return {
      onRequest(request) {
        const origin = fieldValue(request.fields, 'origin');
        const asked = fieldValue(request.fields, 'access-control-request-method');
        // Without these an OPTIONS request is one like any other.
        if (request.method !== 'OPTIONS' || origin === undefined || asked === undefined) return undefined;
        return preflight(request, given, isAllowed(origin));
      },
      onResponse(request, { fields }) {
        for (const name of OWN) if (!isPreflight(request) || name === 'access-control-allow-origin') removeField(fields, name);
        // The answer depends on the origin also where it has none: a cache must not hand it to a page.
        if (!any) addVary(fields, 'origin');
        const origin = fieldValue(request.fields, 'origin');
        if (origin === undefined || !isAllowed(origin)) return;
        fields.push('access-control-allow-origin', any ? '*' : origin);
        if (given.credentials && !isPreflight(request)) fields.push('access-control-allow-credentials', 'true');
        if (exposed !== '' && !isPreflight(request)) setField(fields, 'access-control-expose-headers', exposed);
      },
    };
  },
};

const isPreflight = ({ method, fields }: CanonicalRequest): boolean =>
  method === 'OPTIONS' && fieldIndex(fields, 'origin') >= 0 && fieldIndex(fields, 'access-control-request-method') >= 0;

/** A browser takes the absence of the fields for a no; the origin itself is told by onResponse. */
function preflight(request: CanonicalRequest, { methods, headers, credentials, maxAgeS }: Options, allowed: boolean): LocalReply {
  const fields: Fields = ['vary', 'access-control-request-method, access-control-request-headers'];
  if (!allowed) return { status: 204, fields, body: '' };
  const wanted = headers.length > 0 ? headers.join(', ') : (fieldValue(request.fields, 'access-control-request-headers') ?? '');
  fields.push('access-control-allow-methods', methods.join(', '), 'access-control-max-age', `${maxAgeS}`);
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z, -]+$/.test(wanted)) fields.push('access-control-allow-headers', wanted);
  if (credentials) fields.push('access-control-allow-credentials', 'true');
  return { status: 204, fields, body: '' };
}
