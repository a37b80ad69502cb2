// What a host tells of itself: its presence to all, what it has counted and what it is asked for to the leader; what the leader makes of it for all; and the
// border at which these are read.
import { Type, type Static } from '../../schema/type.ts';
import { jsonDecoder } from '../../schema/json-decoder.ts';

const perName = Type.Record(Type.String(), Type.Number());

const approval = Type.Object({
  id: Type.String(),
  kind: Type.Unsafe<'change' | 'drill' | 'config'>({ type: 'string', enum: ['change', 'drill', 'config'] }),
  summary: Type.String(),
  services: Type.Array(Type.String()),
  by: Type.String(),
  how: Type.String(),
  reason: Type.String(),
  at: Type.String(),
  until: Type.String(),
});

const presence = Type.Object({
  name: Type.String(),
  /** Where it is, for people: an address and its state directory; absent: of a version before. */
  place: Type.Optional(Type.String()),
  version: Type.String(),
  startedAt: Type.String(),
  revision: Type.Number(),
  /** All its workers serve this revision, or a later one. */
  servedRevision: Type.Number(),
  configHash: Type.String(),
  generation: Type.Number(),
  plan: Type.Number(),
  workers: Type.Number(),
  workersReady: Type.Number(),
  /** Names of workers that do not serve its revision. */
  laggards: Type.Array(Type.String()),
  /** What it has otherwise than the fleet, by local changes; absent: a version before had none. */
  localFields: Type.Optional(Type.Array(Type.String())),
  leads: Type.Boolean(),
  /** Its clock minus that of the ledger; null: not known yet. */
  skewMs: Type.Union([Type.Number(), Type.Null()]),
  /** Null: it takes over what the fleet changes. */
  problem: Type.Union([Type.String(), Type.Null()]),
  /** What waits for a second person at this host; absent: a host of an older version, or nothing. */
  approvals: Type.Optional(Type.Array(approval)),
});

/** What its clients ask for. */
const demand = Type.Object({
  /** Requests per second that its shares divide, per service; only those above 0. */
  demand: perName,
  /** Requests per second that rules send to clusters before the split. */
  assigned: perName,
  /** Service → priority class or region of clients → requests per second. */
  classDemand: Type.Record(Type.String(), perName),
  regionDemand: Type.Record(Type.String(), perName),
});

/** Sums that only rise, so that one that is lost is in the next. */
const outcomes = Type.Object({
  /** Another one: they began anew. */
  since: Type.Number(),
  places: Type.Array(
    Type.Object({
      version: Type.String(),
      cluster: Type.String(),
      requests: Type.Number(),
      errors: Type.Number(),
      compared: Type.Number(),
      different: Type.Number(),
      /** Index of the bucket → count, only those above 0. */
      latency: Type.Record(Type.String(), Type.Number()),
    }),
  ),
});

const counts = Type.Object({
  /** Service under a rollout → what was counted since the host follows it; absent: of a version before. */
  outcomes: Type.Optional(Type.Record(Type.String(), outcomes)),
});

const toldDemand = Type.Object({
  /** Rises with each demand that a controller tells. */
  beat: Type.Number(),
  demand,
});

const digest = Type.Object({
  /** Of the lease that it was made with: one of a leader before is older, whatever it says. */
  fence: Type.Number(),
  sequence: Type.Number(),
  /** Of all hosts together. */
  demand,
  /** Id → name, and the beat of the demand that is in the sum; 0: none of it is. */
  hosts: Type.Record(Type.String(), Type.Object({ name: Type.String(), beat: Type.Number() })),
  /** Not heard of any more, and remembered. */
  away: Type.Array(Type.Object({ id: Type.String(), silentMs: Type.Number(), presence })),
});

export type Presence = Readonly<Static<typeof presence>>;
export type HostDemand = Readonly<Static<typeof demand>>;
export type ToldOutcomes = Readonly<Static<typeof outcomes>>;
export type ToldDemand = Readonly<Static<typeof toldDemand>>;
export type HostCounts = Readonly<Static<typeof counts>>;
export type FleetDigest = Readonly<Static<typeof digest>>;

/** Null: it is not what a host of this version or an older one writes. */
export const decodePresence: (text: string) => Presence | null = jsonDecoder(presence);
export const decodeCounts: (text: string) => HostCounts | null = jsonDecoder(counts);
export const decodeDemand: (text: string) => ToldDemand | null = jsonDecoder(toldDemand);
export const decodeDigest: (text: string) => FleetDigest | null = jsonDecoder(digest);
