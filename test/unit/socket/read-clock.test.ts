// While a read is worked on, time stands still; before and after it, it goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientSocket } from '../../../balancer/socket/client-socket.ts';
import { readDirectly } from '../../../balancer/socket/direct-read.ts';
import { ReadClock, readClock } from '../../../balancer/socket/read-clock.ts';
import { systemClock } from '../../../health/clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { socketPair } from '../../support/socket-pair.ts';
import { until } from '../../support/until.ts';

test('the time of a read is when it is asked for first', () => {
  const source = new ManualClock();
  const clock = new ReadClock(source);
  const told: number[] = [];
  const tell = (): void => void told.push(clock.nowMs() - source.nowMs());
  tell();
  for (let read = 0; read < 2; read += 1) {
    clock.begin();
    source.advance(5);
    tell();
    source.advance(10);
    tell();
    clock.end();
    tell();
  }
  assert.deepEqual(told, [0, 0, -10, 0, 0, -10, 0]);
});

test('what a client sends came at one moment, whatever work it is', async (t) => {
  const { client, accepted } = await socketPair(t);
  const reads: { readonly first: number; readonly last: number; readonly real: number }[] = [];
  new ClientSocket(accepted).reader = {
    onRead: () => {
      const first = readClock.nowMs();
      while (systemClock.nowMs() - first < 3);
      reads.push({ first, last: readClock.nowMs(), real: systemClock.nowMs() });
    },
  };
  for (const text of ['one', 'two']) {
    client.write(text);
    const before = reads.length;
    await until(() => reads.length > before, `${text} has been read`);
    assert.ok(readClock.nowMs() >= (reads.at(-1)?.real ?? Infinity), 'it has gone on');
  }
  for (const { first, last, real } of reads) assert.ok(last === first && real >= first + 3);
  assert.ok((reads[1]?.first ?? 0) >= (reads[0]?.real ?? Infinity));
});

test('a reader that throws does not stop the time', async (t) => {
  const { client, accepted } = await socketPair(t);
  let reads = 0;
  const reader = {
    onBytes: (): undefined => {
      readClock.nowMs();
      reads += 1;
      if (reads > 1) throw new Error('a bug');
    },
  };
  assert.notEqual(readDirectly(accepted, Buffer.alloc(1000), reader), null);
  accepted.resume();
  client.write('one');
  await until(() => reads === 1, 'one has been read');
  // The same read again, as Node would tell of it.
  const handle = Reflect.get(accepted, '_handle') as { onread(): unknown };
  assert.throws(() => handle.onread(), /a bug/);
  const nowMs = readClock.nowMs();
  await until(() => readClock.nowMs() > nowMs, 'the time goes on');
});
