// What a child of the supervisor runs: it reads its role from the environment, and loads what that role needs and no more.
import { fileURLToPath } from 'node:url';
import { BEAT_MS } from './heartbeats.ts';
import type { ChildMessage } from './ipc-life-cycle.ts';
import { createLog } from './log.ts';
import { weirVersion } from './version.ts';

export const CHILD_PROGRAM = fileURLToPath(import.meta.url);

const ALIVE: ChildMessage = { type: 'alive' };

/** A child of the supervisor, which alone answers to signals: a Ctrl-C in a terminal reaches every process of it. */
async function runChild(role: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const stateDir = environment('WEIR_STATE_DIR');
  // Begins before the rest is loaded, and asks nothing of it but that the event loop turns.
  setInterval(() => process.send?.(ALIVE, undefined, undefined, () => undefined), BEAT_MS).unref();
  if (role === 'worker') {
    const worker = environment('WEIR_WORKER');
    process.title = `weir: worker ${worker}`;
    // Without a supervisor nothing would replace it, or tell it to end.
    process.once('disconnect', () => process.exit());
    const { runWorker } = await import('./worker/worker.ts');
    await runWorker({ worker, stateDir, log: createLog('worker').child({ worker }), ceases: process.env['WEIR_CEASES'] === '1' });
    process.exit();
  }
  process.title = 'weir: controller';
  const [{ runController }, { EXTENSIONS }, { hostEnvironment }] = await Promise.all([
    import('./controller/run-controller.ts'),
    import('./registries.ts'),
    import('./host-environment.ts'),
  ]);
  await runController({
    configFile: environment('WEIR_CONFIG_FILE'),
    stateDir,
    restarts: Number(environment('WEIR_RESTARTS')),
    standby: process.env['WEIR_STANDBY'] === '1',
    version: weirVersion(),
    extensions: EXTENSIONS,
    environment: hostEnvironment(),
    log: createLog('controller'),
  });
  process.exit();
}

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this is a part of \`weir serve\` and is started by it`);
  return value;
}

if (import.meta.main) await runChild(environment('WEIR_ROLE'));
