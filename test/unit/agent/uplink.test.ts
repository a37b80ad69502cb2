// What an agent sends and how it takes answers, without a hub.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSnapshots, runAgent } from '../../../agent/run.ts';
import { decodeReply } from '../../../agent/hub-messages.ts';
import { Uplink } from '../../../agent/uplink.ts';
import { decodeSnapshot } from '../../../balancer/controller/hub/decode-snapshot.ts';
import { silentLog } from '../../../balancer/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fixedRandom, seededRandom } from '../../support/seeded-random.ts';
import { PLAIN_AGENT } from '../../support/plain-agent.ts';
import { snapshot } from '../../support/snapshot.ts';

const ignore = (): void => undefined;
const measure = () => Promise.resolve({ cpuUtilisation: 0.25, memoryUtilisation: 0.5, cores: 4, loadAverage1m: 1.5 });

describe('snapshots', () => {
  test('are full, numbered from 1, of one boot, and what the hub takes', async () => {
    const clock = new ManualClock();
    const next = createSnapshots({ cluster: 'eu', capacityRps: 1200, periodMs: 1000 }, { clock, random: seededRandom(1), measure });
    const first = await next();
    clock.advance(1000);
    const second = await next();
    assert.deepEqual([first.sequence, second.sequence], [1, 2]);
    assert.equal(first.bootId, second.bootId);
    assert.equal(second.sentAtMs - first.sentAtMs, 1000);
    const { bootId, agentVersion } = first;
    const { epoch = 0 } = snapshot();
    assert.deepEqual({ ...first, epoch }, snapshot({ bootId, agentVersion, sentAtMs: first.sentAtMs }));
    const expected = { cluster: 'eu', protocol: 2, session: null } as const;
    assert.equal(decodeSnapshot({ ...first, epoch: 1 }, { ...expected, last: null }).ok, true);
    assert.equal(decodeSnapshot({ ...second, epoch: 1 }, { ...expected, last: { said: { ...first, epoch: 1 }, isAlive: true } }).ok, true);
  });

  test('another start is another boot', async () => {
    const random = seededRandom(1);
    const start = () =>
      createSnapshots({ cluster: 'eu', capacityRps: null, periodMs: 1000 }, { clock: new ManualClock(), random, measure })();
    assert.notEqual((await start()).bootId, (await start()).bootId);
  });
});

test('an answer is decoded or let go, whatever the hub says', () => {
  const reply = { protocol: 1, sequence: 3, accepted: false, reason: 'number' };
  assert.deepEqual(decodeReply(JSON.stringify({ ...reply, more: 1 })), reply);
  assert.deepEqual(decodeReply(JSON.stringify({ ...reply, sequence: null })), { ...reply, sequence: null });
  const wrong = [
    '',
    '{',
    'null',
    '[]',
    '1',
    '{}',
    ...[{ protocol: 3 }, { sequence: '3' }, { accepted: 1 }, { reason: null }].map((change) => JSON.stringify({ ...reply, ...change })),
  ];
  for (const text of wrong) assert.equal(decodeReply(text), null, text);
});

test('a token that cannot be read is asked for again, with growing waits, and ends with the agent', async () => {
  const clock = new ManualClock();
  const askedAtMs: number[] = [];
  const reasons: string[] = [];
  const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => reasons.push(String(fields['reason'])) };
  const token = (): string => {
    askedAtMs.push(clock.nowMs());
    throw new Error('ENOENT: no such file, open token');
  };
  const url = new URL('ws://127.0.0.1:1/v1/agents/eu');
  const uplink = new Uplink(
    { url, address: null, credentials: () => ({ token: token(), certificate: null }), ca: null, periodMs: 1000 },
    { clock, random: fixedRandom(0), log, onReady: () => true, onWishes: ignore, onReply: ignore, onLost: ignore },
  );
  uplink.start();
  await clock.elapse(100_000);
  assert.deepEqual(askedAtMs, [0, 500, 1500, 3500, 7500, 15_500, 31_500, 61_500, 91_500]);
  assert.equal(reasons[0], 'ENOENT: no such file, open token');
  await uplink.close();
  assert.equal(clock.pending, 0);
});

test('an agent that is stopped before it began is over at once', async () => {
  assert.equal(await runAgent({ ...PLAIN_AGENT, hubs: ['ws://127.0.0.1:1'] }, { log: silentLog, measure, signal: AbortSignal.abort() }), 0);
});
