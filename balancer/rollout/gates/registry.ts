// All kinds of gates.
import type { AskedGateConfig } from '../../config/gate-config.ts';
import { askedGates, type About, type Answer } from '../asked-gate.ts';
import { errorsGate } from './errors.ts';
import { httpSource } from './http.ts';
import { latencyGate } from './latency.ts';
import { mirrorGate } from './mirror.ts';
import { prometheusSource } from './prometheus.ts';
import type { Gate, GateKind, Judgement } from '../gate.ts';

export const GATES: readonly GateKind[] = [errorsGate, latencyGate, mirrorGate];

/** The gate that a text names, or what is wrong with it. `declared`: the names of those that the config declares. */
export function readGate(text: string, declared: Pick<ReadonlySet<string>, 'has'>): Gate | string {
  const bare = text.replaceAll(/\s/g, '');
  const kinds = [...GATES, askedGates(declared)];
  for (const kind of kinds) {
    const gate = kind.read(bare);
    if (gate !== null) return gate;
  }
  return `"${text}" is no gate; gates look like ${GATES.flatMap(({ forms }) => forms).join(', ')}, or are declared under gates of the config`;
}

/** What is fetched to ask. */
export function questionOf({ source }: AskedGateConfig, about: About): string {
  return source.kind === 'http' ? httpSource.urlOf(source, about) : prometheusSource.urlOf(source, about);
}

/** What an answer says. */
export function readAnswer({ source, bound }: AskedGateConfig, answer: Answer): Judgement {
  return source.kind === 'http' ? httpSource.read(source, bound, answer) : prometheusSource.read(source, bound, answer);
}
