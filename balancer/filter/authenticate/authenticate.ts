// Filter authenticate: lets nobody on who has not proved who they are, by one of several methods or by all of them.
import { Type, type Static, type Schema } from '../../schema/type.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import type { Config } from '../../config/config.ts';
import { choice, mapping, optionalMapping, valueOf } from '../../config/schema-parts.ts';
import { removeField } from '../../message/fields.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { BodyTransform, ExchangeEnd, Filter, FilterDefinition, Refusal, RequestVerdict } from '../filter.ts';
import { FailedAttempts, problemOfFailures } from './failed-attempts.ts';
import { isRefusal, type AuthenticationMethod, type Proof } from './method.ts';
import { METHODS } from './registry.ts';
import type { SignIns } from '../login/sign-ins.ts';
import { ToldCallers } from './told-callers.ts';

const own = {
  require: choice(
    ['any', 'all'],
    'Whether one of the methods is enough, or each of them has to prove the same consumer. Credentials that came and are wrong are refused only when no other method proves the caller',
    'any',
  ),
  anonymous: Type.Optional(
    valueOf('name', 'Consumer that callers without any credentials count as; wrong credentials are refused all the same. Absent: nobody'),
  ),
  failures: Type.Optional(
    valueOf(
      'name',
      'Limit, by its name under `limits`, that attempts with wrong credentials are counted by; where it is used up, requests get 429 `too_many_failures` before their credentials are looked at',
    ),
  ),
  forward: optionalMapping(
    {
      consumer: valueOf('fieldName', 'Field with the name of the consumer', 'x-consumer'),
      groups: valueOf('fieldName', 'Field with its groups, joined by commas', 'x-consumer-groups'),
    },
    'Fields that tell the cluster who calls; what clients send under these names never arrives',
  ),
};

const methods: Record<string, Schema> = Object.fromEntries(METHODS.map(({ name, schema }) => [name, Type.Optional(schema)]));
const schema = mapping({ ...own, ...methods }, 'Options of authenticate: how callers are known, and the methods by which they prove it');

/** The methods are under their own names. */
type Options = Static<ReturnType<typeof mapping<typeof own>>> & Readonly<Record<string, unknown>>;

export const authenticate: FilterDefinition = {
  name: 'authenticate',
  summary: 'Lets nobody on who has not proved who they are.',
  schema,
  example: '{ key: { header: x-api-key }, basic: {} }',
  answers: ['credentials_missing', 'credentials_invalid', 'credentials_ambiguous', 'authentication_unavailable', 'body_digest_wrong'],
  problem(options) {
    const given = options as Options;
    if (METHODS.some(({ name }) => given[name] !== undefined)) return null;
    return `authenticate: no method is named, so nobody could get in; expected at least one of ${METHODS.map(({ name }) => name).join(', ')}, such as key: {}`;
  },
  complete(options, place) {
    const given = options as Options;
    const { anonymous, failures } = given;
    const problem = failures === undefined ? null : problemOfFailures(failures, place.limits);
    if (problem !== null) place.report(['failures'], problem);
    if (anonymous !== undefined && !place.consumers.has(anonymous))
      place.report(
        ['anonymous'],
        `consumer "${anonymous}" is not declared; expected one of consumers: ${[...place.consumers].join(', ') || 'none yet'}`,
      );
    const complete = METHODS.map(({ name, complete: of }) => [name, of?.(given[name], within(place, name)) ?? given[name]] as const);
    return { ...given, ...Object.fromEntries(complete.filter(([, value]) => value !== undefined)) };
  },
  create(options, environment) {
    const given = options as Options;
    const used = METHODS.filter(({ name }) => given[name] !== undefined).map((method) => method.create(given[method.name], environment));
    const anonymous = given.anonymous === undefined ? null : anonymously(given.anonymous);
    const { signIns } = environment;
    const gate = new Gate(used, { all: given.require === 'all', withSession: signIns.areOffered }, anonymous);
    const limit = given.failures === undefined ? undefined : environment.limits[given.failures];
    const failures = limit === undefined ? null : new FailedAttempts(limit, environment);
    const { consumer, groups } = given.forward;
    return new Authentication({
      ...{ gate, used, failures, signIns },
      names: { consumer: consumer.toLowerCase(), groups: groups.toLowerCase() },
      told: new ToldCallers(environment.meter, environment.route, environment.consumers),
    });
  },
};

/** Whether signatures of some of its routes are good once. */
export const hasOneTimeUses = ({ routes }: Pick<Config, 'routes'>): boolean =>
  routes.some(({ filters }) =>
    filters.some(
      ({ name, options }) =>
        name === authenticate.name && METHODS.some((method) => method.usesOnce?.((options as Options)[method.name]) === true),
    ),
  );

interface Parts {
  readonly gate: Gate;
  readonly used: readonly AuthenticationMethod[];
  /** Null: failures are not counted. */
  readonly failures: FailedAttempts | null;
  readonly names: { readonly consumer: string; readonly groups: string };
  readonly told: ToldCallers;
  readonly signIns: SignIns;
}

const FAILURES: ReadonlySet<string> = new Set(['credentials_invalid', 'credentials_ambiguous']);

/** Null: nobody has signed it. Bodies pass as they are, so that each check sees the same one. */
function checkedBody(checks: readonly BodyTransform[]): BodyTransform | null {
  const [first = null] = checks;
  if (checks.length < 2) return first;
  return {
    push(chunk) {
      for (const check of checks) check.push(chunk);
      return chunk;
    },
    end(trailers) {
      for (const check of checks) check.end(trailers);
      return { bytes: Buffer.alloc(0), trailers };
    },
  };
}

class Authentication implements Filter {
  readonly #parts: Parts;
  /** Absent where no method cares for bodies, which costs them nothing then. */
  readonly onRequestBody?: NonNullable<Filter['onRequestBody']>;

  readonly ownFields: readonly string[];

  constructor(parts: Parts) {
    this.#parts = parts;
    this.ownFields = [parts.names.consumer, parts.names.groups, ...parts.used.flatMap(({ ownFields = [] }) => ownFields)];
    const checks = parts.used.flatMap(({ onRequestBody }) => onRequestBody ?? []);
    if (checks.length > 0) this.onRequestBody = (request) => checkedBody(checks.flatMap((check) => check(request) ?? []));
  }

  readonly onRequest = (request: CanonicalRequest): RequestVerdict | Promise<RequestVerdict> => {
    const stopped = this.#parts.failures?.stops(request) ?? null;
    if (stopped !== null) return this.#refuse(stopped);
    const proof = this.#parts.gate.judge(request);
    if (!(proof instanceof Promise)) return this.#admit(request, proof);
    // Others of the same address may have failed meanwhile: one right guess among many must not be told from the rest.
    return proof.then((later) => this.#admit(request, this.#parts.failures?.stops(request) ?? later));
  };

  readonly onEnd = ({ identity }: CanonicalRequest, { status }: ExchangeEnd): void => {
    if (identity !== null) this.#parts.told.answered(identity, status);
  };

  #admit(request: CanonicalRequest, proof: Identity | Refusal): RequestVerdict | Promise<RequestVerdict> {
    const { failures, names, used, told } = this.#parts;
    if (isRefusal(proof)) {
      if (proof.code === 'credentials_missing') return this.#missing(request, proof);
      if (failures === null || !FAILURES.has(proof.code)) return this.#refuse(proof);
      const refusal = failures.count(request, proof);
      return refusal instanceof Promise ? refusal.then((later) => this.#refuse(later)) : this.#refuse(refusal);
    }
    told.proved(proof);
    tell(request, proof, names);
    for (const method of used) method.conceal(request);
    return undefined;
  }

  /** Who shows nothing may be a person, who can sign in. */
  #missing(request: CanonicalRequest, missing: Refusal): RequestVerdict | Promise<RequestVerdict> {
    const refusal = this.#refuse(missing);
    return this.#parts.signIns.of(request)?.() ?? refusal;
  }

  #refuse(refusal: Refusal): Refusal {
    this.#parts.told.outcome(refusal.code);
    return refusal;
  }
}

function within(place: OptionsPlace, name: string): OptionsPlace {
  return {
    ...place,
    report: (path, message) => place.report([name, ...path], message),
    secret: (path, where) => place.secret([name, ...path], where),
    readableFile: (path, file) => place.readableFile([name, ...path], file),
  };
}

const anonymously = (consumer: string): Identity => ({
  consumer,
  method: 'anonymous',
  credential: '',
  groups: [],
  scopes: [],
  claims: null,
});

function tell(request: CanonicalRequest, identity: Identity, names: { readonly consumer: string; readonly groups: string }): void {
  request.identity = identity;
  removeField(request.fields, names.consumer);
  removeField(request.fields, names.groups);
  if (identity.consumer !== '') request.fields.push(names.consumer, identity.consumer);
  if (identity.groups.length > 0) request.fields.push(names.groups, identity.groups.join(','));
}

/** How proofs count together. */
interface Together {
  readonly all: boolean;
  /** Whether the session of the filter login, which ran before, is one of them. */
  readonly withSession: boolean;
}

/** What several methods together say of a request. */
class Gate {
  readonly #methods: readonly AuthenticationMethod[];
  readonly #all: boolean;
  readonly #withSession: boolean;
  readonly #anonymous: Identity | null;
  readonly #missing: Refusal;

  constructor(methods: readonly AuthenticationMethod[], { all, withSession }: Together, anonymous: Identity | null) {
    this.#methods = methods;
    this.#all = all;
    this.#withSession = withSession;
    this.#anonymous = anonymous;
    const challenges = methods.flatMap(({ challenge }) => ['www-authenticate', challenge]);
    this.#missing = { code: 'credentials_missing', detail: 'no credentials that a method of the route looks for', fields: challenges };
  }

  judge(request: CanonicalRequest): Identity | Refusal | Promise<Identity | Refusal> {
    const { identity } = request;
    const seen = { found: identity, refused: null, missing: this.#withSession && identity === null ? 1 : 0 };
    return this.#isSettled(seen) ? this.#result(seen) : this.#from(request, 0, seen);
  }

  /** Waits only for a method that returns a promise. */
  #from(request: CanonicalRequest, index: number, before: Seen): Identity | Refusal | Promise<Identity | Refusal> {
    let seen = before;
    for (let i = index; i < this.#methods.length; i += 1) {
      const proof = this.#methods[i]?.prove(request) ?? null;
      if (proof instanceof Promise)
        return proof.then((later) => {
          const next = this.#add(seen, later);
          return this.#isSettled(next) ? this.#result(next) : this.#from(request, i + 1, next);
        });
      seen = this.#add(seen, proof);
      if (this.#isSettled(seen)) break;
    }
    return this.#result(seen);
  }

  #add(seen: Seen, proof: Proof): Seen {
    if (proof === null) return { ...seen, missing: seen.missing + 1 };
    // That nobody can say outweighs what is wrong by another method: the client may come again with the same.
    if (isRefusal(proof)) return { ...seen, refused: proof.code === 'authentication_unavailable' ? proof : (seen.refused ?? proof) };
    if (seen.found === null) return { ...seen, found: proof };
    const joint = joined(seen.found, proof);
    return joint === null ? { ...seen, refused: seen.refused ?? TWO_CALLERS } : { ...seen, found: joint };
  }

  #isSettled({ found, refused }: Seen): boolean {
    return this.#all ? refused !== null : found !== null;
  }

  #result({ found, refused, missing }: Seen): Identity | Refusal {
    if (this.#all && found !== null && refused === null && missing === 0) return found;
    if (!this.#all && found !== null) return found;
    if (refused !== null) return refused;
    return found === null && this.#anonymous !== null ? this.#anonymous : this.#missing;
  }
}

interface Seen {
  readonly found: Identity | null;
  readonly refused: Refusal | null;
  /** Methods that found none of their credentials. */
  readonly missing: number;
}

const TWO_CALLERS: Refusal = {
  code: 'credentials_invalid',
  detail: 'the credentials belong to different consumers',
  fields: ['www-authenticate', 'Key'],
};

/** Two proofs of one caller; null: they are two callers. */
function joined(one: Identity, other: Identity): Identity | null {
  if (one.consumer !== '' && other.consumer !== '' && one.consumer !== other.consumer) return null;
  return {
    consumer: one.consumer === '' ? other.consumer : one.consumer,
    method: one.method,
    credential: one.credential,
    groups: [...new Set([...one.groups, ...other.groups])],
    scopes: [...new Set([...one.scopes, ...other.scopes])],
    claims: one.claims ?? other.claims,
  };
}
