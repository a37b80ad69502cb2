// What the admin API accepts, as schemas; their decoded types are the request types of views.ts.
import { type Schema, type Static, Type } from '../../schema/type.ts';
import { ABORT_FORMS, parseAbortCondition } from '../../config/drill-config.ts';
import type { RolloutAction } from '../../intent/intent.ts';
import type { OnFail } from '../../config/rollout-config.ts';
import type { ExpectationRequest } from '../appliance.ts';
import type { TokenRequest } from './token-view.ts';
import { CALLER_CHANGES } from './caller-schemas.ts';
import { HISTORY_STEPS, type HistoryRequest, type HistoryStep } from './history-view.ts';
import { type Decoded, type Decoder, bodyDecoder, queryDecoder } from './decode.ts';
import type { ApprovalRequest, AskedChange, ChangeRequest, DrillRequest, ExplainRequest, LocalRequest, RenewalRequest } from './views.ts';

const strict = { additionalProperties: false } as const;

/** Names of services, versions, clusters and tokens. */
const Name = Type.String({
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  description: 'a name of 1 to 63 lower-case letters, digits and inner dashes',
});

/** Neither control characters, line ends, nor what turns the direction of text: a reason is shown on other people's terminals. */
const Reason = Type.String({
  maxLength: 500,
  pattern: '^[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Bidi_Control}]*$',
  description: 'one line of text without control characters',
});

/** What a local caller may call itself: a user name, as systems allow it. */
export const CLAIM = /^[\p{L}\p{N}_][\p{L}\p{N}_.@\\-]{0,63}$/u;

const Claims = Type.String({ maxLength: 64 });

// The range is the intent's to check: its message knows what the percentages are for.
const Percents = Type.Record(Type.String(), Type.Number(), { maxProperties: 1000 });
const ForMs = Type.Optional(Type.Number());
const OverMs = Type.Optional(Type.Number());
const Tunnels = Type.Object(
  {
    deadlineMs: Type.Unsafe<number | null>({ type: ['number', 'null'], minimum: 0, maximum: 30 * 86_400_000 }),
    tunnelsPerSecond: Type.Unsafe<number | null>({ type: ['number', 'null'], exclusiveMinimum: 0, maximum: 100_000 }),
  },
  strict,
);
// What one of them looks like is the intent's to check.
const Purged = Type.Optional(Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 1000 }));
const AdminState = Type.Unsafe<'active' | 'drain' | 'maintenance'>({ type: 'string', enum: ['active', 'drain', 'maintenance'] });

const kinds = [
  Type.Object({ kind: Type.Literal('shift'), service: Type.String(), percents: Percents, forMs: ForMs, overMs: OverMs }, strict),
  Type.Object({ kind: Type.Literal('shift_clusters'), service: Type.String(), percents: Percents, forMs: ForMs, overMs: OverMs }, strict),
  Type.Object(
    {
      kind: Type.Literal('admin'),
      cluster: Type.String(),
      state: AdminState,
      forMs: ForMs,
      overMs: OverMs,
      tunnels: Type.Optional(Tunnels),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('dial'), cluster: Type.String(), percent: Type.Number(), forMs: ForMs, overMs: OverMs }, strict),
  Type.Object({ kind: Type.Literal('release'), cluster: Type.String() }, strict),
  Type.Object({ kind: Type.Literal('void_pins'), service: Type.String() }, strict),
  Type.Object(
    { kind: Type.Literal('reset_quota'), consumer: Type.String(), limit: Type.Unsafe<string | null>({ type: ['string', 'null'] }) },
    strict,
  ),
  ...CALLER_CHANGES,
  Type.Object(
    {
      kind: Type.Literal('purge'),
      urls: Purged,
      prefixes: Purged,
      tags: Purged,
      route: Type.Optional(Type.String({ maxLength: 200 })),
      all: Type.Optional(Type.Boolean()),
      soft: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('rollout_start'),
      service: Type.String(),
      to: Type.String(),
      steps: Type.Optional(Type.Array(Type.Number(), { minItems: 1, maxItems: 100 })),
      holdMs: Type.Optional(Type.Array(Type.Number(), { minItems: 1, maxItems: 100 })),
      minRequests: Type.Optional(Type.Number()),
      gates: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 20 })),
      waves: Type.Optional(Type.Array(Type.Array(Type.String({ maxLength: 63 }), { minItems: 1, maxItems: 1000 }), { maxItems: 1000 })),
      onFail: Type.Optional(Type.Unsafe<OnFail>({ type: 'string', enum: ['rollback', 'step-back', 'freeze'] })),
      overMs: OverMs,
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('rollout'),
      service: Type.String(),
      action: Type.Unsafe<RolloutAction>({ type: 'string', enum: ['pause', 'resume', 'promote', 'abort'] }),
    },
    strict,
  ),
  Type.Object(
    { kind: Type.Literal('undo'), to: Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 1 }), overMs: OverMs },
    strict,
  ),
  Type.Object({ kind: Type.Literal('redo'), overMs: OverMs }, strict),
] as const;

const ChangeSchema = Type.Unsafe<AskedChange>({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  required: ['kind'],
  oneOf: kinds,
});

const ChangeRequestSchema = Type.Object(
  {
    change: ChangeSchema,
    reason: Type.Optional(Reason),
    dryRun: Type.Optional(Type.Boolean()),
    ifRevision: Type.Optional(Type.Integer({ minimum: 0 })),
    permanent: Type.Optional(Type.Boolean()),
    breakGlass: Type.Optional(Type.Boolean()),
    growth: Type.Optional(Type.Number({ minimum: 1, maximum: 100 })),
    local: Type.Optional(Type.Boolean()),
    yes: Type.Optional(Type.Boolean()),
    claims: Type.Optional(Claims),
  },
  strict,
);

const LocalRequestSchema = Type.Object(
  {
    act: Type.Unsafe<LocalRequest['act']>({ type: 'string', enum: ['merge', 'discard'] }),
    number: Type.Optional(Type.Integer({ minimum: 1 })),
    reason: Type.Optional(Reason),
    breakGlass: Type.Optional(Type.Boolean()),
    yes: Type.Optional(Type.Boolean()),
  },
  strict,
);

export const decodeLocalRequest: Decoder<LocalRequest> = bodyDecoder(LocalRequestSchema);

const DrillRequestSchema = Type.Object(
  {
    cluster: Name,
    act: Type.Unsafe<DrillRequest['act']>({ type: 'string', enum: ['drain', 'dial'] }),
    percent: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 100 })),
    forMs: Type.Number(),
    abortIf: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 20 })),
    reason: Type.Optional(Reason),
    breakGlass: Type.Optional(Type.Boolean()),
  },
  strict,
);

const ApprovalRequestSchema = Type.Object(
  {
    verdict: Type.Unsafe<ApprovalRequest['verdict']>({ type: 'string', enum: ['approve', 'reject'] }),
    reason: Type.Optional(Reason),
    dryRun: Type.Optional(Type.Boolean()),
    yes: Type.Optional(Type.Boolean()),
  },
  strict,
);

export const decodeApprovalRequest: Decoder<ApprovalRequest> = bodyDecoder(ApprovalRequestSchema);

const RenewalRequestSchema = Type.Object(
  {
    of: Type.Unsafe<RenewalRequest['of']>({ type: 'string', enum: ['program', 'workers'] }),
    timeoutMs: Type.Integer({ minimum: 1000, maximum: 86_400_000 }),
    endDraining: Type.Optional(Type.Boolean()),
  },
  strict,
);

export const decodeRenewalRequest: Decoder<RenewalRequest> = bodyDecoder(RenewalRequestSchema);

const decodeDrillFields: Decoder<DrillRequest> = bodyDecoder(DrillRequestSchema);

/** With conditions that can be read. */
export function decodeDrillRequest(input: unknown): Decoded<DrillRequest> {
  const decoded = decodeDrillFields(input);
  const wrong = decoded.ok ? decoded.value.abortIf?.find((text) => parseAbortCondition(text) === null) : undefined;
  if (wrong === undefined) return decoded;
  return { ok: false, message: `${JSON.stringify(wrong)} is no condition; expected for example ${ABORT_FORMS}` };
}

/** A person: what a token of theirs is recorded as. */
const Owner = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  pattern: CLAIM.source,
  description: 'a user name of up to 64 letters, digits and _ . @ \\ -',
});

const TokenRequestSchema = Type.Object(
  {
    name: Name,
    owner: Type.Optional(Owner),
    role: Type.Unsafe<TokenRequest['role']>({ type: 'string', enum: ['read', 'operate', 'admin', 'agent'] }),
    cluster: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
    ttlMs: Type.Optional(Type.Unsafe<number | null>({ type: ['number', 'null'], minimum: 1000, maximum: 10 * 365 * 86_400_000 })),
    rotate: Type.Optional(Type.Object({ keepMs: Type.Integer({ minimum: 0, maximum: 90 * 86_400_000 }) }, strict)),
    local: Type.Optional(Type.Boolean()),
    secretHash: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', description: 'the SHA-256 of a secret, in hex' })),
  },
  strict,
);

const ExpectationRequestSchema = Type.Object(
  {
    cluster: Name,
    service: Name,
    rps: Type.Number({ minimum: 0, maximum: 1e9 }),
    inMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
    forMs: Type.Integer({ minimum: 1000, maximum: 86_400_000 }),
  },
  strict,
);

export const decodeExpectationRequest: Decoder<ExpectationRequest> = bodyDecoder(ExpectationRequestSchema);

const ExplainRequestSchema = Type.Object(
  {
    url: Type.String({ maxLength: 16_384 }),
    method: Type.Optional(Type.String({ maxLength: 32 })),
    headers: Type.Optional(Type.Array(Type.Array(Type.String({ maxLength: 16_384 }), { minItems: 2, maxItems: 2 }), { maxItems: 200 })),
    client: Type.Optional(Type.String({ maxLength: 64 })),
    listener: Type.Optional(Type.String({ maxLength: 64 })),
  },
  strict,
);

export const decodeExplainRequest: Decoder<ExplainRequest> = bodyDecoder(ExplainRequestSchema);
const RecallRequestSchema = Type.Object(
  {
    requestId: Type.String({
      pattern: '^[A-Za-z0-9._:/+=@-]{1,128}$',
      description: 'a request id, as in x-request-id: up to 128 letters, digits and any of ._:/+=@-',
    }),
  },
  strict,
);

export const decodeRecallRequest = bodyDecoder(RecallRequestSchema);
export const decodeChangeRequest: Decoder<ChangeRequest> = bodyDecoder(ChangeRequestSchema);

const decodeTokenFields = bodyDecoder(TokenRequestSchema);

/** An agent's token has a cluster, a person's has none. */
export function decodeTokenRequest(input: unknown): Decoded<TokenRequest> {
  const decoded = decodeTokenFields(input);
  if (!decoded.ok) return decoded;
  const { role, cluster, rotate, secretHash } = decoded.value;
  if (role === 'agent' && cluster === null)
    return { ok: false, message: 'body.cluster: an agent token needs the cluster that it may report for' };
  if (role !== 'agent' && cluster !== null)
    return { ok: false, message: `body.cluster: expected null for role ${role}; only agent tokens have a cluster` };
  if (role !== 'agent' && (rotate !== undefined || secretHash !== undefined))
    return {
      ok: false,
      message: `body: rotate and secretHash are of agents' tokens; make another token for role ${role}, and revoke this one then`,
    };
  return decoded;
}

/** Queries by what a route understands; a key that is not in the schema is refused. */
const queries = {
  none: Type.Object({}, strict),
  limit: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) }, strict),
  revisions: Type.Object(
    { limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }), before: Type.Optional(Type.Integer({ minimum: 1 })) },
    strict,
  ),
  routes: Type.Object({ service: Type.Optional(Name) }, strict),
  results: Type.Object(
    { windowSeconds: Type.Integer({ minimum: 60, maximum: 86_400, default: 3600 }), baseline: Type.Optional(Name) },
    strict,
  ),
  history: Type.Object(
    {
      series: Type.String({ minLength: 1, maxLength: 16_000 }),
      from: Type.Optional(Type.String({ maxLength: 40 })),
      to: Type.Optional(Type.String({ maxLength: 40 })),
      step: Type.Optional(Type.Unsafe<HistoryStep | 'auto'>({ type: 'string', enum: ['auto', ...HISTORY_STEPS] })),
      points: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      histogram: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  diff: Type.Object({ from: Type.Integer({ minimum: 1 }), to: Type.Optional(Type.Integer({ minimum: 1 })) }, strict),
  backlog: Type.Object({ backlog: Type.Integer({ minimum: 0, maximum: 1000, default: 0 }) }, strict),
  dryRun: Type.Object({ dryRun: Type.Boolean({ default: false }) }, strict),
  local: Type.Object({ local: Type.Boolean({ default: false }) }, strict),
  feed: Type.Object({ epoch: Type.Optional(Type.String({ maxLength: 64 })), number: Type.Optional(Type.Integer({ minimum: 0 })) }, strict),
} satisfies Record<string, Schema>;

export const decodeNoQuery = queryDecoder(queries.none);
export const decodeLimit: Decoder<Static<typeof queries.limit>> = queryDecoder(queries.limit);
export const decodeRevisionsQuery: Decoder<Static<typeof queries.revisions>> = queryDecoder(queries.revisions);
export const decodeRoutesQuery: Decoder<Static<typeof queries.routes>> = queryDecoder(queries.routes);
export const decodeDiffQuery: Decoder<Static<typeof queries.diff>> = queryDecoder(queries.diff);
export const decodeResultsQuery: Decoder<Static<typeof queries.results>> = queryDecoder(queries.results);
export const decodeHistoryQuery: Decoder<HistoryRequest> = queryDecoder(queries.history);
export const decodeBacklog: Decoder<Static<typeof queries.backlog>> = queryDecoder(queries.backlog);
export const decodeDryRun: Decoder<Static<typeof queries.dryRun>> = queryDecoder(queries.dryRun);
export const decodeLocalQuery: Decoder<Static<typeof queries.local>> = queryDecoder(queries.local);
export const decodeFeedQuery: Decoder<Static<typeof queries.feed>> = queryDecoder(queries.feed);
