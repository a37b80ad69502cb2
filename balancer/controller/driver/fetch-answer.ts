// What a gate that asks over HTTP gets to hear.
import { readSecret } from '../../secret.ts';
import type { AskedGateConfig } from '../../config/gate-config.ts';
import { boundedGet, type GetOutcome } from '../bounded-get.ts';

export type Fetched = GetOutcome;

/** The caller ends it in time with the signal. */
export async function fetchAnswer(gate: AskedGateConfig, url: string, signal: AbortSignal): Promise<Fetched> {
  const authorization = gate.authorization === null ? '' : readSecret(gate.authorization);
  if (authorization === null) return { ok: false, problem: 'the secret for its authorization cannot be read' };
  const headers = {
    accept: 'application/json',
    'user-agent': 'weir-gate',
    ...gate.headers,
    ...(authorization === '' ? {} : { authorization }),
  };
  return boundedGet({ url, headers, ca: gate.ca }, signal);
}
