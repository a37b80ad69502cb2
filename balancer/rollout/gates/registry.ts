// All kinds of gates.
import { errorsGate } from './errors.ts';
import { latencyGate } from './latency.ts';
import { mirrorGate } from './mirror.ts';
import type { Gate, GateKind } from '../gate.ts';

export const GATES: readonly GateKind[] = [errorsGate, latencyGate, mirrorGate];

/** The gate that a text names, or what is wrong with it. */
export function readGate(text: string): Gate | string {
  const bare = text.replaceAll(/\s/g, '');
  for (const kind of GATES) {
    const gate = kind.read(bare);
    if (gate !== null) return gate;
  }
  return `"${text}" is no gate; gates look like ${GATES.flatMap(({ forms }) => forms).join(', ')}`;
}
