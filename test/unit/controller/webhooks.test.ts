// Webhooks against a real receiver: events come in order, signed so that old and forged ones can be refused, again until they are taken, and never too many.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import type { WebhookConfig } from '../../../balancer/config/telemetry-config.ts';
import type { EventView } from '../../../balancer/controller/api/views.ts';
import { signatureOf, Webhook } from '../../../balancer/controller/webhook.ts';
import { startHookReceiver, type Hooked, type HookReceiver } from '../../support/hook-receiver.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fixedRandom } from '../../support/seeded-random.ts';
import { until } from '../../support/until.ts';

const KEY = Buffer.from('a key of twenty-four bytes').toString('base64');
const OLD_KEY = Buffer.from('the key before this one..').toString('base64');

interface Bench {
  readonly receiver: HookReceiver;
  readonly clock: ManualClock;
  readonly counted: string[];
  readonly told: string[];
  readonly hook: Webhook;
  readonly happen: (code: EventView['code'], severity?: EventView['severity']) => void;
}

async function start(t: TestContext, other: Partial<WebhookConfig> = {}, keys = `whsec_${KEY}\n`): Promise<Bench> {
  const receiver = await startHookReceiver(t);
  const clock = new ManualClock();
  const counted: string[] = [];
  const told: string[] = [];
  const config: WebhookConfig = {
    ...{ name: 'pager', url: receiver.url, ca: null, headers: { 'x-team': 'edge' }, secret: { env: 'KEYS' }, events: [] },
    ...{ leastSeverity: 'info', timeoutMs: 10_000 },
    ...other,
  };
  const hook = new Webhook(config, {
    ...{ clock, random: fixedRandom(0), host: 'edge-1', instance: 'run1', readSecret: () => keys },
    count: (outcome) => void counted.push(outcome),
    tell: (problem) => void told.push(problem),
  });
  t.after(() => hook.close());
  let sequence = 0;
  const happen = (code: string, severity: EventView['severity'] = 'critical'): void => {
    sequence += 1;
    hook.add({ sequence, at: '2026-11-21T10:00:00.000Z', kind: 'health', code, severity, text: `event ${sequence}` });
  };
  return { receiver, clock, counted, told, hook, happen };
}

const verified = ({ id, timestamp, body, signatures }: Hooked, key: string): boolean =>
  signatures.includes(`v1,${createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64')}`);

test('events come in their order, with what happened and a signature that holds', async (t) => {
  const { receiver, clock, happen, counted } = await start(t);
  for (let count = 0; count < 5; count += 1) happen('health.cluster_down');
  await until(() => receiver.came.length === 5, 'five events');
  const [first] = receiver.came;
  assert.ok(first !== undefined);
  assert.deepEqual(JSON.parse(first.body), {
    type: 'health.cluster_down',
    timestamp: '2026-11-21T10:00:00.000Z',
    data: {
      ...{ host: 'edge-1', sequence: 1, at: '2026-11-21T10:00:00.000Z', kind: 'health', code: 'health.cluster_down', severity: 'critical' },
      text: 'event 1',
    },
  });
  assert.deepEqual(
    receiver.came.map(({ id }) => id),
    [1, 2, 3, 4, 5].map((sequence) => `evt_run1_${sequence}`),
  );
  assert.equal(first.timestamp, String(Math.floor(clock.wallMs() / 1000)));
  assert.ok(receiver.came.every((hooked) => verified(hooked, KEY)));
  assert.ok(!verified({ ...first, timestamp: '1' }, KEY), 'a signature is of one time');
  await until(() => counted.length === 5, 'the counts');
});

test('while keys change it is signed with both', async (t) => {
  const { receiver, happen } = await start(t, {}, `whsec_${KEY}\nwhsec_${OLD_KEY}\n`);
  happen('agent.stale');
  await until(() => receiver.came.length === 1, 'the event');
  const [hooked] = receiver.came;
  assert.ok(hooked !== undefined && verified(hooked, KEY) && verified(hooked, OLD_KEY));
});

test('the signature is that of the example of the specification', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330', body: '{"test": 2432232314}' };
  assert.equal(signatureOf(message, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('what is not taken comes again, later and later, under its id and with a time of its own', async (t) => {
  const { receiver, clock, happen, counted, told } = await start(t);
  receiver.answer = { status: 500 };
  happen('health.cluster_down');
  happen('health.cluster_up');
  for (const [attempt, waitMs] of [5000, 10_000, 20_000].entries()) {
    await until(() => counted.length === attempt + 1 && clock.pending === 1, `attempt ${attempt + 1} to be over`);
    clock.advance(waitMs - 1);
    assert.equal(receiver.came.length, attempt + 1);
    if (attempt === 2) receiver.answer = { status: 200 };
    clock.advance(1);
  }
  await until(() => counted.length === 5, 'both to be taken');
  assert.deepEqual(counted, ['retried', 'retried', 'retried', 'delivered', 'delivered']);
  assert.deepEqual(
    receiver.came.map(({ id }) => id.at(-1)),
    ['1', '1', '1', '1', '2'],
  );
  assert.equal(new Set(receiver.came.slice(0, 4).map(({ timestamp }) => timestamp)).size, 4);
  assert.deepEqual(told, ['webhook pager does not take events: it answers 500']);
});

test('it waits for as long as the receiver asks, and a receiver that is gone is not asked again', async (t) => {
  const { receiver, clock, happen, counted } = await start(t);
  receiver.answer = { status: 503, retryAfter: '120' };
  happen('health.cluster_down');
  await until(() => counted.length === 1 && clock.pending === 1, 'the first attempt to be over');
  clock.advance(119_000);
  assert.equal(receiver.came.length, 1);
  receiver.answer = { status: 410 };
  clock.advance(1000);
  await until(() => counted.length === 2, 'the second attempt to be over');
  assert.deepEqual(counted, ['retried', 'refused']);
});

test('of too many that wait the oldest go, and what is a day old is let go', async (t) => {
  const { receiver, clock, happen, counted } = await start(t);
  receiver.answer = { status: 500 };
  happen('health.cluster_down');
  await until(() => counted.length === 1 && clock.pending === 1, 'the first attempt to be over');
  for (let count = 0; count < 1100; count += 1) happen('health.endpoint');
  assert.equal(counted.filter((outcome) => outcome === 'queue_full').length, 101);
  clock.advance(25 * 3_600_000);
  await until(() => counted.filter((outcome) => outcome === 'retried').length === 2 && clock.pending === 1, 'another attempt to be over');
  clock.advance(300_000);
  await until(() => counted.filter((outcome) => outcome === 'expired').length === 1000, 'all to be let go');
});

test('only what is asked for is sent', async (t) => {
  const { receiver, happen } = await start(t, { events: ['health', 'agent.stale'], leastSeverity: 'warning' });
  happen('worker.gone');
  happen('health.endpoint', 'info');
  happen('agent.fresh', 'warning');
  happen('agent.stale', 'warning');
  happen('health.cluster_down');
  await until(() => receiver.came.length === 2, 'two events');
  assert.deepEqual(
    receiver.came.map(({ body }) => (JSON.parse(body) as { type: string }).type),
    ['agent.stale', 'health.cluster_down'],
  );
});
