// Tokens in the admin API.
import type { Role } from '../../intent/tokens.ts';
import type { FleetAppliedView } from './fleet-views.ts';

export interface TokenView {
  readonly name: string;
  /** Null: a person by the name of the token, or an agent. */
  readonly owner: string | null;
  readonly role: Role | 'agent';
  readonly cluster: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** Where it is good: on all hosts, or on this one alone. */
  readonly scope: 'fleet' | 'host';
  /** It is of the fleet, and this host was told to refuse it. */
  readonly refused: boolean;
  /** On this host; null: not that it knows. */
  readonly lastUsedAt: string | null;
}

export interface TokenRequest {
  readonly name: string;
  /** Who holds it; null or absent: a person by the name of the token. */
  readonly owner?: string | null;
  readonly role: Role | 'agent';
  readonly cluster: string | null;
  /** How long it lives; null or absent: until it is revoked. */
  readonly ttlMs?: number | null;
  /** Of an agent: those that its cluster has are valid for so long yet. */
  readonly rotate?: { readonly keepMs: number } | null;
  /** Of an agent: another host has made it, and this one is to know it: SHA-256 of its secret, in hex. */
  readonly secretHash?: string;
  /** Of this host alone; a host without a fleet has no others. */
  readonly local?: boolean;
}

export interface MadeToken {
  readonly token: TokenView;
  /** Shown this once; null: it was made before. */
  readonly secret: string | null;
  /** Those that it takes over from, with when they end. */
  readonly ending: readonly TokenView[];
  /** Hosts that know it; null: it is of this host alone. */
  readonly fleet: FleetAppliedView | null;
}

export interface RevokedToken {
  readonly name: string;
  /** Hosts that refuse it; null: this host alone was asked to. */
  readonly fleet: FleetAppliedView | null;
  /** It is of the fleet, and good on all other hosts yet. */
  readonly elsewhere: boolean;
}
