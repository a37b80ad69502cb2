// Contenders that are npm packages: a script of ours serves with the package, in one Node process.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Availability, ContenderSetting, StartedContender } from '../contender.ts';
import { freePort, launch, waitForPort } from '../processes.ts';

/** The version that a package.json states. */
export async function versionIn(manifest: string): Promise<string> {
  return /"version": *"([^"]+)"/.exec(await readFile(manifest, 'utf8'))?.[1] ?? 'unknown';
}

/** Whether a package is installed here, and its version. */
export async function packageAvailability(name: string): Promise<Availability> {
  try {
    const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return { ok: true, version: await versionIn(file) };
  } catch {
    return { ok: false, missing: 'npm ci (a development dependency)' };
  }
}

/** Starts `script PORT ORIGIN_PORT`, a file of this folder. */
export async function startNodeProgram(name: string, script: string, setting: ContenderSetting): Promise<StartedContender> {
  const port = await freePort();
  const running = await launch(process.execPath, [join(import.meta.dirname, script), String(port), String(setting.origin.http1)]);
  await waitForPort(running, name, port);
  const pids = (): readonly number[] => [running.pid];
  return { port, pids, dataPlanePids: pids, stop: () => running.stop() };
}
