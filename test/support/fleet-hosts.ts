// Edge hosts that are one fleet through a real Redis, each with processes of its own.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startAppliance, type Appliance } from './appliance.ts';

export interface FleetKeys {
  readonly file: string;
}

export function makeFleetKeys(t: TestContext): FleetKeys {
  const directory = mkdtempSync(join(tmpdir(), 'weir-keys-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'fleet.keys');
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  return { file };
}

export interface FleetHostOptions {
  readonly name: string;
  /** The fleet part of its config. */
  readonly yaml: string;
  /** Where it reaches Redis. */
  readonly redisPort: number;
  readonly keys: FleetKeys;
  /** One where it is absent: what is tested is mostly what hosts do together. */
  readonly workers?: number;
}

export function startFleetHost(t: TestContext, { name, yaml, redisPort, keys, workers = 1 }: FleetHostOptions): Promise<Appliance> {
  return startAppliance(t, { yaml: `host: { name: ${name} }\n${yaml}`, workers, redis: redisOf(redisPort, keys) });
}

/** `state.redis` of a host. */
export function redisOf(redisPort: number, keys: FleetKeys): string {
  return `{ url: "redis://127.0.0.1:${redisPort}", keyFile: ${JSON.stringify(keys.file)} }`;
}
