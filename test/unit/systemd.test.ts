// What systemd is told, by the real `systemd-notify` over a real datagram socket, and what becomes of it where that is missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSystemd, Systemd } from '../../balancer/systemd.ts';
import { silentLog } from '../../balancer/log.ts';
import { startNotifySocket } from '../support/notify-socket.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

for (const place of ['file', 'abstract'] as const) {
  test(`what is said arrives in order, at a socket in ${place === 'file' ? 'the file system' : 'the abstract namespace'}`, async (t) => {
    const { name, said } = await startNotifySocket(t, place);
    const systemd = new Systemd({ socket: name, watchdogMs: 1000, log: silentLog });
    await systemd.ready(4711, 'serving with 2 workers');
    systemd.alive();
    systemd.stopping(36_000);
    await until(() => said.includes('STATUS=draining'), 'all was heard');
    assert.deepEqual(said, [
      ...['READY=1', 'MAINPID=4711', 'STATUS=serving with 2 workers'],
      'WATCHDOG=1',
      ...['STOPPING=1', 'EXTEND_TIMEOUT_USEC=36000000', 'STATUS=draining'],
    ]);
  });
}

test('without systemd-notify the host goes on, and its log says once what to do', async () => {
  const { log, said } = recordingLog();
  const systemd = new Systemd({ socket: '/run/nobody', watchdogMs: 0, log, command: 'there-is-no-systemd-notify' });
  await systemd.ready(1, 'serving');
  await systemd.ready(1, 'serving');
  assert.deepEqual(
    said.map(({ level }) => level),
    ['warn'],
  );
  assert.match(
    String(said[0]?.fields['problem']),
    /there is no there-is-no-systemd-notify, .* Install the package systemd, or write Type=exec/,
  );
});

test('a socket where nobody listens is named in the log, and the host goes on', async () => {
  const { log, said } = recordingLog();
  const systemd = new Systemd({ socket: '/nowhere/notify', watchdogMs: 0, log });
  await systemd.ready(1, 'serving');
  assert.match(String(said[0]?.fields['problem']), /^systemd-notify READY=1 .*: \S/);
});

test('the variables of systemd are taken out of the environment, and count for the process that they are meant for', () => {
  const env = (watchdogPid: string): NodeJS.ProcessEnv => ({
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '30000000',
    WATCHDOG_PID: watchdogPid,
    PATH: '/bin',
  });
  const own = env(String(process.pid));
  const systemd = findSystemd(own, false, silentLog);
  assert.equal(systemd?.watchdogMs, 30_000);
  assert.deepEqual(own, { PATH: '/bin' });
  assert.deepEqual(systemd.environment, { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '30000000' });
  assert.equal(findSystemd(env('1'), false, silentLog)?.watchdogMs, 0, 'a wrapper is the one that is watched');
  assert.equal(findSystemd(env('1'), true, silentLog)?.watchdogMs, 30_000, 'a successor stands in for the one before');
  assert.equal(findSystemd({}, false, silentLog), null);
});
