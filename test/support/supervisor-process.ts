// A supervisor for its tests: reads its settings from the environment, runs `supervised-program.ts`, ends with the problem on stderr.
import { join } from 'node:path';
import { systemClock } from '../../health/clock.ts';
import { createLog } from '../../balancer/log.ts';
import { createSupervisor } from '../../balancer/supervisor.ts';

const supervisor = createSupervisor({
  program: join(import.meta.dirname, 'supervised-program.ts'),
  env: {},
  workers: Number(process.env['WEIR_TEST_WORKERS']),
  drainDeadlineMs: 200,
  version: '0.0.0',
  onDisk: null,
  predecessor: null,
  clock: systemClock,
  random: () => 0,
  log: createLog('supervisor'),
});
process.on('SIGTERM', () => supervisor.stop());
process.on('SIGHUP', () => supervisor.reload());
supervisor.start();
const { problem } = await supervisor.ended;
process.stderr.write(`ended: ${problem ?? 'in order'}\n`);
