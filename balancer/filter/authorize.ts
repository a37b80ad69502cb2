// Filter authorize: what callers may do whom authenticate has let on; where there is a rule and none of them fits, nothing.
import { Type, type Static } from '../schema/type.ts';
import { choice, listOf, mapping, optionalMapping, valueOf } from '../config/schema-parts.ts';
import type { Identity } from '../message/identity.ts';
import { readingsOf } from '../message/path-readings.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { claimAt, claimTexts } from './authenticate/claims.ts';
import type { FilterDefinition, Refusal } from './filter.ts';

const groups = (description: string) => listOf(valueOf('name', 'Group'), description, { default: [] });

const claim = mapping(
  {
    name: Type.String({ minLength: 1, maxLength: 255, description: 'Claim; `/` leads into objects: `realm/roles`' }),
    oneOf: listOf(Type.String({ description: 'Value' }), 'Values of which the claim is one, or holds one when it is a list', {
      minItems: 1,
    }),
  },
  'What a claim of the token must say',
);

const rule = mapping(
  {
    methods: listOf(valueOf('method', 'Method'), 'Methods; absent: any', { default: [] }),
    path: valueOf('path', 'Path prefix by element', '/'),
    groups: groups('Groups of which the caller must be in one; absent: in none in particular'),
    consumers: listOf(valueOf('name', 'Consumer'), 'Consumers of which the caller must be one; absent: any', { default: [] }),
    scopes: listOf(valueOf('scope', 'Scope'), 'Scopes that the credentials must give, all of them', { default: [] }),
    claims: listOf(claim, 'Claims of the token, all of them', { default: [] }),
    then: choice(['allow', 'deny'], 'What becomes of requests that the rule fits', 'allow'),
  },
  'A rule; it fits when everything it names does',
);

const schema = mapping(
  {
    deny: optionalMapping({ groups: groups('Groups whose members are refused, whatever the rules say') }, 'Who is refused first'),
    rules: listOf(rule, 'The first one that fits decides; none fits: refused', { minItems: 1 }),
  },
  'Options of authorize',
);

type Options = Static<typeof schema>;
type Rule = Options['rules'][number];

const denied = (detail: string): Refusal => ({ code: 'access_denied', detail, fields: [] });
const NOBODY = denied('nobody has proved who calls; the route needs the filter authenticate');

export const authorize: FilterDefinition = {
  name: 'authorize',
  summary: 'Lets callers do what rules allow, and nothing else.',
  schema,
  example: '{ rules: [{ methods: [GET], path: /orders, scopes: [orders:read] }, { groups: [admins] }] }',
  answers: ['access_denied', 'scope_insufficient'],
  create(options) {
    const { deny, rules } = options as Options;
    return {
      onRequest(request) {
        const { identity } = request;
        if (identity === null) return NOBODY;
        const group = deny.groups.find((name) => identity.groups.includes(name));
        if (group !== undefined) return denied(`${nameOf(identity)} is in the group ${group}`);
        return isPlain(request) ? judge(rules, request, identity) : judgeReadings(rules, request, identity);
      },
    };
  },
};

/** What rules look at of a request. */
type Asked = Pick<CanonicalRequest, 'method' | 'path'>;

const isPlain = ({ pathDoubts, otherMethods }: CanonicalRequest): boolean => pathDoubts === 0 && otherMethods.length === 0;

/** Some origin takes the request for another one: that must be allowed too, or a rule that denies it is none. */
function judgeReadings(rules: readonly Rule[], request: CanonicalRequest, identity: Identity): Refusal | undefined {
  const paths = readingsOf(request.path);
  for (const method of [request.method, ...request.otherMethods])
    for (const path of paths) {
      const refusal = judge(rules, { method, path }, identity);
      if (refusal !== undefined) return refusal;
    }
  return undefined;
}

/** Undefined: it may. The first rule that only wants for scopes is what the client is told of (RFC 6750 section 3.1). */
function judge(rules: readonly Rule[], request: Asked, identity: Identity): Refusal | undefined {
  let wanting: Rule | null = null;
  for (const one of rules) {
    if (!fitsCaller(one, request, identity)) continue;
    if (one.scopes.every((scope) => identity.scopes.includes(scope)))
      return one.then === 'allow' ? undefined : denied(`a rule denies ${request.method} ${request.path} to ${nameOf(identity)}`);
    if (one.then === 'allow') wanting ??= one;
  }
  if (wanting === null) return denied(`no rule lets ${nameOf(identity)} do ${request.method} ${request.path}`);
  const scope = wanting.scopes.join(' ');
  return {
    code: 'scope_insufficient',
    detail: `${nameOf(identity)} has not all of the scopes ${scope}`,
    fields: ['www-authenticate', `Bearer error="insufficient_scope", scope="${scope}"`],
  };
}

function fitsCaller(one: Rule, request: Asked, identity: Identity): boolean {
  return (
    (one.methods.length === 0 || one.methods.includes(request.method)) &&
    isBelow(request.path, one.path) &&
    (one.groups.length === 0 || one.groups.some((group) => identity.groups.includes(group))) &&
    (one.consumers.length === 0 || one.consumers.includes(identity.consumer)) &&
    one.claims.every(({ name, oneOf }) => claimTexts(claimAt(identity.claims ?? NO_CLAIMS, name)).some((text) => oneOf.includes(text)))
  );
}

function isBelow(path: string, prefix: string): boolean {
  if (prefix === '/') return true;
  const whole = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path === whole || (path.startsWith(whole) && path.charCodeAt(whole.length) === SLASH);
}

const SLASH = 0x2f;
const NO_CLAIMS = {};

const nameOf = ({ consumer, method, credential }: Identity): string =>
  consumer === '' ? `the caller of ${method} ${credential}` : consumer;
