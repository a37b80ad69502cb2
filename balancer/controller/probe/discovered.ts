// The endpoints of a cluster as its agent tells of them: what comes, drains and goes, and what is not believed. Pure.
import { isIP } from 'node:net';
import type { EndpointsReport, ReportedEndpoint } from '../../../agent/protocol.ts';
import { parseEndpoint } from '../../config/addresses.ts';
import type { EndpointConfig } from '../../config/config.ts';
import type { DiscoveryConfig } from '../../config/discovery-config.ts';
import { AddressSet, plainAddress } from '../../message/client-address.ts';
import type { ClusterHealth } from '../../steer/plan-shape.ts';

export interface DiscoveredEndpoint {
  readonly config: EndpointConfig;
  readonly draining: boolean;
}

export interface Discovered {
  readonly list: readonly DiscoveredEndpoint[];
  /** Since when the report has no endpoint that anything could be sent to; null: it has. */
  readonly emptySinceMs: number | null;
  /** Since when endpoints that the report does not name are kept, as none that it names is up; null: none are. */
  readonly keptSinceMs: number | null;
  /** What the report names and is not believed, as it was told. */
  readonly refused: string;
}

export const NOTHING_DISCOVERED: Discovered = { list: [], emptySinceMs: null, keptSinceMs: null, refused: '' };

/** What was there is kept for so long against a report, if none of it is up either: an address may be somebody else's by then. */
export const HOLD_MS = 300_000;

/** Never a gateway: this machine, its link (where clouds have their metadata), groups, and no address at all. */
const NEVER = new AddressSet([
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
]);

export interface DiscoveryStep {
  readonly discovered: Discovered;
  /** What operators have to know; most often nothing. */
  readonly told: readonly string[];
}

interface Situation {
  readonly cluster: string;
  readonly discovery: DiscoveryConfig;
  readonly isUp: (endpoint: string) => boolean;
  readonly nowMs: number;
}

/**
 * One report. Endpoints that it names come, or drain where it says so. Those that it names no more go, but not while none that it names is up: a list
 * is never emptied, nor exchanged for one that does not answer, on the word of an agent alone. What is not fresh changes nothing.
 */
export function followReport(before: Discovered, report: EndpointsReport, { cluster, discovery, isUp, nowMs }: Situation): DiscoveryStep {
  if (!report.fresh) return { discovered: before, told: [] };
  const { believed, refused } = sift(report.list, discovery);
  const told: string[] =
    refused !== '' && refused !== before.refused ? [`the agent of ${cluster} names endpoints that are not believed: ${refused}`] : [];
  const open = believed.filter(({ draining }) => !draining);
  if (open.length === 0) return hold({ ...before, refused }, { cluster, isUp, nowMs }, told);
  if (before.emptySinceMs !== null) told.push(`the agent of ${cluster} names endpoints again: ${open.length}`);
  const ids = new Set(believed.map(({ config }) => config.id));
  const missing = before.list.filter(({ config }) => !ids.has(config.id));
  const mayGo = missing.length === 0 || open.some(({ config }) => isUp(config.id));
  const keptSinceMs = mayGo ? null : (before.keptSinceMs ?? nowMs);
  const isOver = keptSinceMs !== null && nowMs - keptSinceMs > HOLD_MS && !missing.some(({ config }) => isUp(config.id));
  const kept = mayGo || isOver ? [] : missing;
  return {
    discovered: { list: sorted([...believed, ...kept]), emptySinceMs: null, keptSinceMs: isOver ? null : keptSinceMs, refused },
    told,
  };
}

/** Nothing to send to: the list stays, and operators are told, once and when it is given up. */
function hold(before: Discovered, { cluster, isUp, nowMs }: Omit<Situation, 'discovery'>, told: readonly string[]): DiscoveryStep {
  const known = before.list.length;
  if (known === 0) return { discovered: { ...before, emptySinceMs: before.emptySinceMs ?? nowMs }, told };
  const emptySinceMs = before.emptySinceMs ?? nowMs;
  const discovered = { ...before, emptySinceMs };
  if (before.emptySinceMs === null)
    return {
      discovered,
      told: [...told, `the agent of ${cluster} names no endpoint any more; the ${known} that are known are held, and probes decide`],
    };
  if (nowMs - emptySinceMs <= HOLD_MS || before.list.some(({ config }) => isUp(config.id))) return { discovered, told };
  const gone = `the agent of ${cluster} has named no endpoint for ${HOLD_MS / 60_000} minutes and none of the ${known} held is up; they are given up`;
  return { discovered: { ...discovered, list: [], keptSinceMs: null }, told: [...told, gone] };
}

/** What was known before this process: endpoints by their ids, as health was stored. */
export function rediscovered(health: ClusterHealth | undefined, discovery: DiscoveryConfig): Discovered {
  const list = (health?.endpoints ?? []).flatMap(({ endpoint, draining }) => {
    const config = parseEndpoint(`${discovery.scheme}://${endpoint}`);
    return config === null ? [] : [{ config, draining: draining === true }];
  });
  return { ...NOTHING_DISCOVERED, list };
}

/** Of what is known, what another config still believes, reached as it says. */
export function siftKnown(known: Discovered, discovery: DiscoveryConfig): Discovered {
  const named = known.list.map(({ config: { host, port }, draining }): ReportedEndpoint => ({
    host,
    port,
    ...(draining ? { draining } : {}),
  }));
  return { ...known, list: sorted(sift(named, discovery).believed) };
}

function sift(
  list: readonly ReportedEndpoint[],
  discovery: DiscoveryConfig,
): { readonly believed: DiscoveredEndpoint[]; readonly refused: string } {
  const within = discovery.within.length === 0 ? null : new AddressSet(discovery.within);
  const believed: DiscoveredEndpoint[] = [];
  const refused: string[] = [];
  for (const { host, port, draining = false } of list) {
    const address = plainAddress(host);
    const config = parseEndpoint(`${discovery.scheme}://${isIP(address) === 6 ? `[${address}]` : address}:${port}`);
    if (config === null) continue;
    const ok =
      isIP(address) === 0 ? discovery.names.some((pattern) => fits(address, pattern)) : (within?.has(address) ?? !NEVER.has(address));
    if (ok) believed.push({ config, draining });
    else refused.push(config.id);
  }
  const more = refused.length > SHOWN ? ` and ${refused.length - SHOWN} more` : '';
  const names = refused.slice(0, SHOWN).join(', ') + more;
  return { believed, refused: refused.length === 0 ? '' : `${names} (endpoints.agent.within and .names say which are)` };
}

const SHOWN = 3;

function fits(name: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1 : name === pattern;
}

/** In a fixed order, so that the same endpoints are the same list. */
function sorted(list: readonly DiscoveredEndpoint[]): readonly DiscoveredEndpoint[] {
  return [...list].sort((a, b) => (a.config.id < b.config.id ? -1 : 1));
}

/** Whether both say the same to workers. */
export function sameList(a: Discovered, b: Discovered): boolean {
  return (
    a.list.length === b.list.length &&
    a.list.every(({ config, draining }, index) => config.id === b.list[index]?.config.id && draining === b.list[index].draining)
  );
}
