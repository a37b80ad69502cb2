// Filter externalAuthorizer: asks a service over HTTP whether a request may go on, and lets nothing on that it has not said yes to.
import { Type, type Static } from '../../schema/type.ts';
import { isInTheClear } from '../../config/addresses.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import { durationMs, sizeBytes } from '../../config/quantities.ts';
import { choice, duration, listOf, mapping, optionalMapping, valueOf } from '../../config/schema-parts.ts';
import { removeField } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { Filter, FilterDefinition, FilterEnvironment, RequestVerdict } from '../filter.ts';
import { HttpQuestions } from '../http-questions.ts';
import { Decisions, isAllowed, type Decision } from './decisions.ts';
import { problemOfRelayed, problemOfSent, problemOfTaken } from './field-names.ts';
import { Questions, type KeyPart, type Question } from './question.ts';

/** Whoever means to relay more than this sends a redirect. */
const MOST_BODY_BYTES = 65_536;
const MOST_REMEMBER_MS = 600_000;
const MOST_FIELDS = 32;
/** Questions in vain, one after the other, before nobody waits for a second. */
const PATIENCE = 5;
/** A route that refuses says so by these. */
const REFUSALS = [401, 403];
const KEY_PART = /^(?:method|host|path|query|address|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/;

const fields = (description: string, defaults: readonly string[]) =>
  listOf(valueOf('fieldName', 'Name'), description, { default: defaults, maxItems: MOST_FIELDS });

const schema = mapping(
  {
    url: valueOf('gateUrl', 'Where the authorizer answers; it is asked by GET. https, but on this machine'),
    ca: Type.Optional(valueOf('file', 'PEM file with the authorities that are trusted for it; default: those of the system')),
    fields: fields('Fields of the request that it gets to see, besides what weir tells of it', ['authorization', 'cookie']),
    set: fields('Fields of its answer that are set on a request that goes on; what clients send under these names never arrives', []),
    relay: optionalMapping(
      {
        statuses: listOf(
          Type.Integer({ minimum: 300, maximum: 499, description: 'Status' }),
          'Statuses by which it refuses, besides 401 and 403; the client gets them as they are',
          { default: [], maxItems: MOST_FIELDS },
        ),
        fields: fields('Fields of a refusal that the client gets', ['www-authenticate', 'location']),
        body: valueOf('size', 'The longest body of a refusal that the client gets, at most 64KiB; of a longer one nothing', '16KiB'),
      },
      'What the client gets of a refusal',
    ),
    timeout: duration('For an answer; it is asked once', '500ms'),
    connections: Type.Integer({ minimum: 1, maximum: 256, default: 16, description: 'Connections to it that each worker keeps' }),
    waiting: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 256,
      description: 'Questions of each worker that are asked or wait for a connection; for others there is no answer',
    }),
    onError: choice(
      ['deny', 'allow'],
      'What becomes of requests about which it says nothing: no answer in time, or another status; deny: 503 `authorizer_unavailable`',
      'deny',
    ),
    remember: Type.Optional(
      mapping(
        {
          for: duration('How long a decision holds for the same question, at most 10m', '5s'),
          by: listOf(
            Type.String({
              pattern: KEY_PART.source,
              description: 'Part',
              what: 'a part of a question',
              expected: 'method, host, path, query, address, or header:NAME',
            }),
            'What makes questions the same: `method`, `host`, `path`, `query`, `address`, `header:NAME`; absent: all that it is told but the request id. ' +
              'Name less only where it does not decide by the rest',
            { default: [], maxItems: MOST_FIELDS },
          ),
        },
        'Decisions that are remembered, by each worker; absent: none',
      ),
    ),
  },
  'Options of externalAuthorizer',
);

type File = Static<typeof schema>;

interface Options extends Pick<File, 'url' | 'fields' | 'set' | 'connections' | 'waiting' | 'onError'> {
  readonly ca: string | null;
  readonly timeoutMs: number;
  readonly relay: { readonly statuses: readonly number[]; readonly fields: readonly string[]; readonly bodyBytes: number };
  /** Null: nothing is remembered. */
  readonly remember: { readonly forMs: number; readonly by: readonly KeyPart[] } | null;
}

export const externalAuthorizer: FilterDefinition = {
  name: 'externalAuthorizer',
  summary: 'Asks a service over HTTP whether a request may go on.',
  schema,
  example: '{ url: "http://127.0.0.1:9000/check", fields: [authorization], set: [x-user] }',
  answers: ['authorizer_unavailable', 'ambiguous_path'],
  notes: [
    'The service gets a GET with `x-forwarded-method`, `x-forwarded-proto`, `x-forwarded-host`, `x-forwarded-uri` (the canonical path with the query), `x-forwarded-for` (the address of the ' +
      'client), `x-request-id` and the fields that are named; never a body. It answers 2xx: the request goes on, with the fields named under `set`. 401, 403 and the statuses named under `relay`: the client gets ' +
      'this answer, with the fields that are named there, and its body where it is UTF-8 and not too long. Redirects are not followed. Any other answer, or none in time, is an error.',
    'It is asked once: nothing is tried again. After 5 questions in a row without an answer nobody waits for a second, and `onError` holds at once. Certificates are verified.',
    'A request that origins may read in several ways (`//`, `%2F`, `;parameters`, another method in a field) goes on only when each of them is let on, and with 400 `ambiguous_path` not at all when these are more ' +
      'than 4; the fields that are set come from the answer about the canonical one.',
    'With `remember` requests that ask the same wait for one answer. An answer with `cache-control: no-store` or `no-cache`, or with a cookie, is for one request alone. A worker remembers 10,000 decisions and 8 MiB at most.',
  ],
  complete: (options, place) => completed(options as File, place),
  create: (options, environment) => new ExternalAuthorizer(options as Options, environment),
};

function completed(file: File, place: OptionsPlace): Options {
  const { url, ca, relay, remember, timeout, set, connections, waiting, onError } = file;
  if (isInTheClear(url))
    place.report(['url'], 'credentials would go there in the clear, and whoever is on the way could answer in its place; write https://');
  reportNames(file, place);
  const bodyBytes = sizeBytes(relay.body);
  if (bodyBytes > MOST_BODY_BYTES) place.report(['relay', 'body'], 'is more than 64KiB; it is held in memory until all of it is there');
  return {
    ...{ url, set, connections, waiting, onError },
    fields: file.fields,
    ca: ca === undefined ? null : place.readableFile(['ca'], ca),
    timeoutMs: durationMs(timeout),
    relay: { statuses: [...REFUSALS, ...relay.statuses], fields: relay.fields, bodyBytes },
    remember: remember === undefined ? null : { forMs: rememberMs(remember.for, place), by: remember.by as readonly KeyPart[] },
  };
}

function rememberMs(text: string, place: OptionsPlace): number {
  const forMs = durationMs(text);
  if (forMs > MOST_REMEMBER_MS) place.report(['remember', 'for'], 'is more than 10m; what was taken back would hold for so long');
  return forMs;
}

function reportNames({ fields: sent, set, relay, remember }: File, place: OptionsPlace): void {
  const named = [
    [['fields'], sent, problemOfSent],
    [['set'], set, problemOfTaken],
    [['relay', 'fields'], relay.fields, problemOfRelayed],
  ] as const;
  for (const [path, names, problemOf] of named)
    names.forEach((name, index) => {
      const problem = problemOf(name.toLowerCase());
      if (problem !== null) place.report([...path, index], problem);
    });
  const seen = new Set(sent.map((name) => `header:${name.toLowerCase()}`));
  remember?.by.forEach((part, index) => {
    if (part.startsWith('header:') && !seen.has(part.toLowerCase()))
      place.report(
        ['remember', 'by', index],
        `the authorizer does not get to see "${part.slice(7)}", so it cannot decide by it; name it under fields`,
      );
  });
}

class ExternalAuthorizer implements Filter {
  readonly #taken: readonly string[];
  readonly #allowsOnError: boolean;
  readonly #questions: Questions;
  readonly #decisions: Decisions;

  constructor(options: Options, { clock, meter, route }: FilterEnvironment) {
    const { url, ca, timeoutMs, connections, waiting, relay, remember } = options;
    this.#taken = lowered(options.set);
    this.#allowsOnError = options.onError === 'allow';
    this.#questions = new Questions(lowered(options.fields), remember === null ? null : remember.by);
    this.#decisions = new Decisions({
      questions: new HttpQuestions({ url, ca, timeoutMs, connections, mostAtOnce: waiting, patience: PATIENCE }, clock),
      clock,
      take: this.#taken,
      relay: { ...relay, statuses: new Set(relay.statuses), fields: lowered(relay.fields) },
      rememberMs: remember?.forMs ?? 0,
      count: (outcome) => meter.counter('weir_authorizer_decisions_total', [route, outcome]).add(1),
    });
  }

  get ownFields(): readonly string[] {
    return this.#taken;
  }

  readonly onRequest = (request: CanonicalRequest): RequestVerdict | Promise<RequestVerdict> => {
    // Before its fields are taken away: the authorizer may get to see what it will set anew.
    const questions = this.#questions.of(request);
    for (const name of this.#taken) removeField(request.fields, name);
    const [first] = questions ?? [];
    if (questions === null || first === undefined)
      return { code: 'ambiguous_path', detail: 'the request can be read in too many ways to ask about each', fields: [] };
    const decision = this.#decisions.about(first);
    if (questions.length === 1 && !(decision instanceof Promise)) return this.#act(request, decision);
    return this.#inTurn(request, questions, decision);
  };

  /** The first that is not let on decides; nothing more is asked then. */
  async #inTurn(request: CanonicalRequest, questions: readonly Question[], first: Decision | Promise<Decision>): Promise<RequestVerdict> {
    const canonical = await first;
    for (const question of questions.slice(1)) {
      if (typeof canonical === 'string' || !isAllowed(canonical)) break;
      const other = await this.#decisions.about(question);
      if (typeof other === 'string' || !isAllowed(other)) return this.#act(request, other);
    }
    return this.#act(request, canonical);
  }

  #act(request: CanonicalRequest, decision: Decision): RequestVerdict {
    if (typeof decision === 'string')
      return this.#allowsOnError ? undefined : { code: 'authorizer_unavailable', detail: `the authorizer: ${decision}`, fields: [] };
    if (!isAllowed(decision)) return decision;
    request.fields.push(...decision.set);
    return undefined;
  }
}

const lowered = (names: readonly string[]): readonly string[] => [...new Set(names.map((name) => name.toLowerCase()))];
