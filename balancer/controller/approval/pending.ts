// What waits for a second person, as the store of the host keeps it.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../config/canonical-json.ts';
import { GLIDES } from '../../intent/diff.ts';
import type { Change, TouchedField } from '../../intent/intent.ts';
import { members, number, string, StoredTextError } from '../../store/decode-parts.ts';
import type { Role } from '../../store/store.ts';
import { decodeChangeRequest, decodeDrillRequest } from '../api/schemas.ts';
import type { ChangeRequest, DrillRequest } from '../api/views.ts';
import type { Caller } from '../appliance.ts';

/** What was asked for, as it is run when it is approved. */
export type Waiting =
  | { readonly kind: 'change'; readonly request: ChangeRequest }
  | { readonly kind: 'drill'; readonly request: DrillRequest }
  | { readonly kind: 'config'; readonly text: string };

export interface Pending {
  /** `3`; in a fleet `3@edge-2`. */
  readonly id: string;
  /** Who asked. */
  readonly caller: Caller;
  readonly waiting: Waiting;
  readonly summary: string;
  readonly reason: string;
  readonly services: readonly string[];
  /** Digest of what it was asked on: it is not made on anything else. */
  readonly basis: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly until: string;
}

export interface BasisOf {
  readonly touched: readonly TouchedField[];
  /** The revision that an undo of the last change takes back; null: something else is asked. */
  readonly undoes: number | null;
  /** What is served, where another config is asked for; null: something else is asked. */
  readonly config: string | null;
}

/** The fields that a change touches with what they are now. What it holds for a time, and what is on its way, has its own revision as its name, and a moment. */
export function basisOf({ touched, undoes, config }: BasisOf): string {
  const fields = touched.filter(({ path }) => path[0] !== 'overrides' && path[0] !== GLIDES).map(({ path, before }) => ({ path, before }));
  return createHash('sha256').update(canonicalJson({ fields, undoes, config })).digest('hex');
}

/** `undo --to` names its revision itself. */
export function undoneBy(change: Change, undoes: number | null): number | null {
  return change.kind === 'undo' && change.to !== null ? null : undoes;
}

interface Kept {
  readonly last: number;
  readonly pending: readonly Pending[];
}

const NOTHING: Kept = { last: 0, pending: [] };

/** What cannot be read is left out: somebody asks again. */
export function decodeKept(text: string | null): Kept {
  if (text === null) return NOTHING;
  try {
    const kept = members(JSON.parse(text), 'approvals');
    const pending = Array.isArray(kept['pending']) ? kept['pending'].map(readable).filter((one) => one !== null) : [];
    return { last: number(kept['last'], 'approvals.last'), pending };
  } catch {
    return NOTHING;
  }
}

function readable(value: unknown): Pending | null {
  try {
    return decodePending(members(value, 'approval'));
  } catch (error) {
    if (error instanceof StoredTextError) return null;
    throw error;
  }
}

function decodePending(of: Readonly<Record<string, unknown>>): Pending {
  const text = (name: string): string => string(of[name], `approval.${name}`);
  const services = of['services'];
  if (!Array.isArray(services)) throw new StoredTextError('approval.services', 'a list');
  return {
    ...{ id: text('id'), summary: text('summary'), reason: text('reason'), basis: text('basis'), at: text('at'), until: text('until') },
    caller: decodeCaller(members(of['caller'], 'approval.caller')),
    waiting: decodeWaiting(members(of['waiting'], 'approval.waiting')),
    services: services.map((name: unknown) => string(name, 'approval.services')),
  };
}

const ROLES: readonly Role[] = ['read', 'operate', 'admin'];

function decodeCaller(of: Readonly<Record<string, unknown>>): Caller {
  const role = ROLES.find((one) => one === of['role']);
  if (role === undefined) throw new StoredTextError('approval.caller.role', 'a role');
  const author = members(of['author'], 'approval.caller.author');
  const [name, how] = [string(author['name'], 'approval.caller.author.name'), string(author['how'], 'approval.caller.author.how')];
  const person = of['person'] === undefined ? {} : { person: string(of['person'], 'approval.caller.person') };
  return { author: { name, how }, role, ...person };
}

function decodeWaiting({ kind, request, text }: Readonly<Record<string, unknown>>): Waiting {
  if (kind === 'config') return { kind, text: string(text, 'approval.waiting.text') };
  if (kind === 'drill') {
    const decoded = decodeDrillRequest(request);
    if (decoded.ok) return { kind, request: decoded.value };
  }
  const decoded = kind === 'change' ? decodeChangeRequest(request) : null;
  if (decoded?.ok === true) return { kind: 'change', request: decoded.value };
  throw new StoredTextError('approval.waiting', 'a change, a drill or a config');
}
