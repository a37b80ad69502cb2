// A supervisor for its tests: reads its settings from the environment, runs `supervised-program.ts`, ends with the problem on stderr.
import { join } from 'node:path';
import { systemClock } from '../../health/clock.ts';
import { createLog } from '../../balancer/log.ts';
import { findSystemd } from '../../balancer/systemd.ts';
import { createSupervisor } from '../../balancer/supervisor.ts';

const log = createLog('supervisor');
const supervisor = createSupervisor({
  program: join(import.meta.dirname, 'supervised-program.ts'),
  env: {},
  workers: Number(process.env['WEIR_TEST_WORKERS']),
  drainDeadlineMs: 200,
  lameDuckMs: 0,
  hangMs: 3000,
  heapMiB: 128,
  systemd: findSystemd(process.env, false, log),
  version: '0.0.0',
  onDisk: null,
  predecessor: null,
  clock: systemClock,
  random: () => 0,
  log,
});
process.on('SIGTERM', () => supervisor.stop());
process.on('SIGHUP', () => supervisor.reload());
supervisor.start();
const { problem } = await supervisor.ended;
process.stderr.write(`ended: ${problem ?? 'in order'}\n`);
