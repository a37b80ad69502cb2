// Filter authorize: what callers may do whom authenticate has let on; where there is a rule and none of them fits, nothing.
import { Type, type Static } from '../schema/type.ts';
import { choice, listOf, mapping, optionalMapping, valueOf } from '../config/schema-parts.ts';
import type { Identity } from '../message/identity.ts';
import { readingsOf } from '../message/path-readings.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { claimAt, claimTexts } from './authenticate/claims.ts';
import type { Counter } from '../telemetry/meter.ts';
import { compileCondition } from './expression/condition.ts';
import { AskedRequest, REQUEST_VARIABLES } from './expression/request-variables.ts';
import { Failed, type FailureReason } from './expression/values.ts';
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
    when: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description: 'A condition in CEL that must hold: `claims.tier == "gold"`; see [Conditions](../conditions.md)',
      }),
    ),
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
type Rule = Options['rules'][number] & {
  /** Null: whoever it fits. */
  readonly holds: Condition | null;
};

type Condition = (asked: AskedRequest) => boolean | Failed;

const denied = (detail: string): Refusal => ({ code: 'access_denied', detail, fields: [] });
const NOBODY = denied('nobody has proved who calls; the route needs the filter authenticate');

export const authorize: FilterDefinition = {
  name: 'authorize',
  summary: 'Lets callers do what rules allow, and nothing else.',
  schema,
  example:
    "{ rules: [{ methods: [GET], path: /orders, scopes: [orders:read] }, { when: \"claims.tier == 'gold' && request.method != 'DELETE'\" }, { groups: [admins] }] }",
  notes: [
    'A condition (`when`) is an expression in CEL, whose names and types are checked with the file: [Conditions](../conditions.md) tells what it may say. One without a value, as where a token lacks a claim that is ' +
      'compared, counts against the caller: a rule that allows does not fit, a rule that denies does; `weir_condition_failures_total` counts it, and the log of a refusal says why.',
  ],
  answers: ['access_denied', 'scope_insufficient'],
  complete(options, place) {
    const given = options as Options;
    for (const [index, { when }] of given.rules.entries()) {
      const condition = when === undefined ? null : compileCondition(when, REQUEST_VARIABLES);
      if (condition?.ok === false) place.report(['rules', index, 'when'], condition.problem);
    }
    return options;
  },
  create(options, { consumers, clock, meter, route }) {
    const { deny, ...given } = options as Options;
    const rules = given.rules.map((rule): Rule => ({ ...rule, holds: conditionOf(rule.when) }));
    const asks = rules.some(({ holds }) => holds !== null);
    const failures = new Map<FailureReason, Counter>();
    const told = ({ reason }: Failed): void => {
      let counter = failures.get(reason);
      if (counter === undefined) failures.set(reason, (counter = meter.counter('weir_condition_failures_total', [route, reason])));
      counter.add(1);
    };
    return {
      onRequest(request) {
        const { identity } = request;
        if (identity === null) return NOBODY;
        const group = deny.groups.find((name) => identity.groups.includes(name));
        if (group !== undefined) return denied(`${nameOf(identity)} is in the group ${group}`);
        const caller = { identity, tags: asks ? consumers.tagsOf(identity.consumer) : NO_TAGS, wallMs: asks ? clock.wallMs() : 0 };
        const judged = { request, rules, caller, told };
        return isPlain(request) ? judge(judged, request) : judgeReadings(judged);
      },
    };
  },
};

const NO_TAGS: readonly string[] = [];

function conditionOf(when: string | undefined): Condition | null {
  if (when === undefined) return null;
  const condition = compileCondition(when, REQUEST_VARIABLES);
  if (!condition.ok) throw new Error(`authorize: ${condition.problem}`);
  return condition.holds;
}

/** What rules look at of a request. */
type Asked = Pick<CanonicalRequest, 'method' | 'path'>;

/** A request that is judged. */
interface Judged {
  readonly request: CanonicalRequest;
  readonly rules: readonly Rule[];
  readonly caller: { readonly identity: Identity; readonly tags: readonly string[]; readonly wallMs: number };
  readonly told: (failed: Failed) => void;
}

const isPlain = ({ pathDoubts, otherMethods }: CanonicalRequest): boolean => pathDoubts === 0 && otherMethods.length === 0;

/** Some origin takes the request for another one: that must be allowed too, or a rule that denies it is none. */
function judgeReadings(judged: Judged): Refusal | undefined {
  const { request } = judged;
  const paths = readingsOf(request.path);
  for (const method of [request.method, ...request.otherMethods])
    for (const path of paths) {
      const refusal = judge(judged, { method, path });
      if (refusal !== undefined) return refusal;
    }
  return undefined;
}

/** Undefined: it may. The first rule that only wants for scopes is what the client is told of (RFC 6750 section 3.1). */
function judge(judged: Judged, asked: Asked): Refusal | undefined {
  const { identity } = judged.caller;
  const conditions = new Conditions(judged, asked);
  let wanting: Rule | null = null;
  for (const one of judged.rules) {
    if (!fitsCaller(one, asked, identity) || !conditions.fit(one)) continue;
    if (one.scopes.every((scope) => identity.scopes.includes(scope)))
      return one.then === 'allow'
        ? undefined
        : denied(`a rule denies ${asked.method} ${asked.path} to ${nameOf(identity)}${conditions.why}`);
    if (one.then === 'allow') wanting ??= one;
  }
  if (wanting === null) return denied(`no rule lets ${nameOf(identity)} do ${asked.method} ${asked.path}${conditions.why}`);
  const scope = wanting.scopes.join(' ');
  return {
    code: 'scope_insufficient',
    detail: `${nameOf(identity)} has not all of the scopes ${scope}`,
    fields: ['www-authenticate', `Bearer error="insufficient_scope", scope="${scope}"`],
  };
}

/** Conditions of the rules, asked of one reading of a request. */
class Conditions {
  readonly #judged: Judged;
  readonly #asked: Asked;
  #request: AskedRequest | null = null;
  #failed: Failed | null = null;

  constructor(judged: Judged, asked: Asked) {
    this.#judged = judged;
    this.#asked = asked;
  }

  /** Why the first one that has no value has none; empty: all that were asked had one. */
  get why(): string {
    return this.#failed === null ? '' : `; a condition has no value: ${this.#failed.detail}`;
  }

  /** What has no value counts against the caller. */
  fit({ holds, then }: Rule): boolean {
    if (holds === null) return true;
    const { request, caller, told } = this.#judged;
    this.#request ??= new AskedRequest(request, this.#asked, caller);
    const value = holds(this.#request);
    if (!(value instanceof Failed)) return value;
    told(value);
    this.#failed ??= value;
    return then === 'deny';
  }
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
