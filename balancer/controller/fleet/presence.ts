// What a host tells the others about itself each second, and the border at which it is read.
import { Type, type Static } from '@sinclair/typebox';
import { Ajv } from 'ajv';

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
  /** Requests per second that its shares divide, per service; only those above 0. */
  demand: perName,
  /** Requests per second that rules send to clusters before the split. */
  assigned: perName,
  /** Service → priority class or region of clients → requests per second. */
  classDemand: Type.Record(Type.String(), perName),
  regionDemand: Type.Record(Type.String(), perName),
  /** What waits for a second person at this host; absent: a host of an older version, or nothing. */
  approvals: Type.Optional(Type.Array(approval)),
});

export type Presence = Readonly<Static<typeof presence>>;

const isPresence = new Ajv({ allErrors: false }).compile<Presence>(presence);

/** Null: it is not what a host of this version or an older one writes. */
export function decodePresence(text: string): Presence | null {
  try {
    const value: unknown = JSON.parse(text);
    return isPresence(value) ? value : null;
  } catch {
    return null;
  }
}
