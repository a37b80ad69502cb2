// The real agent against the real hub: reports, reconnection, refusals in its log, TLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { silentLog } from '../../../../balancer/log.ts';
import { INTERMEDIATE_SUITES } from '../../../../balancer/config/cipher-suites.ts';
import { makeCertificate } from '../../../support/certificates.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { RawAgent } from '../../../support/raw-agent.ts';
import { fixedRandom } from '../../../support/seeded-random.ts';
import { snapshot } from '../../../support/snapshot.ts';
import { until } from '../../../support/until.ts';

describe('the agent', () => {
  test('reports at once and every period, and its figures are seen', async () => {
    await using bench = await HubBench.start();
    const agent = bench.run();
    await until(() => bench.count('eu accepted') >= 4, 'four reports');
    const { ageMs, agentVersion, cluster, state, connected, capacityRps, cpuUtilisation, memoryUtilisation } = bench.agent('eu');
    assert.deepEqual([cluster, state, connected, capacityRps, cpuUtilisation, memoryUtilisation], ['eu', 'fresh', true, 1200, 0.25, 0.5]);
    assert.ok((ageMs ?? Infinity) < 300);
    assert.match(agentVersion ?? '', /^\d+\.\d+\.\d+/);
    assert.deepEqual(bench.hub.capacity(), { eu: 1200 });
    assert.equal(await agent.stop(), 0);
    await until(() => !bench.agent('eu').connected, 'the hub sees that it left');
    assert.deepEqual(bench.events, ['the agent of eu is fresh', 'eu numbers', 'the agent of eu has left']);
  });

  test('comes back by itself when the hub was gone', async () => {
    const first = await HubBench.start();
    const { port } = first;
    await using later = new HubBench({ bind: { host: '127.0.0.1', port } });
    later.port = port;
    later.run();
    await until(() => first.count('eu accepted') > 0, 'the first hub has reports');
    await first[Symbol.asyncDispose]();
    await later.hub.start();
    await until(() => later.count('eu accepted') > 0, 'the second hub has reports');
  });

  test('waits longer after each failure, from the start again after an accepted report, and long when it was replaced', async () => {
    const clock = new ManualClock();
    const waitsMs: unknown[] = [];
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => waitsMs.push(fields['retryInMs']) };
    await using bench = await HubBench.start();
    bench.tokens.delete('weir_eu');
    bench.run({}, { log, clock, random: fixedRandom(0) });
    for (const expected of [500, 1000, 2000]) {
      await until(() => waitsMs.at(-1) === expected, `a wait of ${expected} ms`);
      if (expected === 2000) bench.tokens.set('weir_eu', { cluster: 'eu' });
      clock.advance(expected);
    }
    await until(() => bench.count('eu accepted') > 0, 'a report is accepted');
    // The answer to a second report comes after the answer to the first.
    clock.advance(100);
    await until(() => bench.count('eu accepted') > 1, 'another report is accepted');
    bench.tokens.delete('weir_eu');
    await until(() => waitsMs.length === 4, 'the connection is ended');
    bench.tokens.set('weir_eu', { cluster: 'eu' });
    clock.advance(500);
    await until(() => bench.count('eu accepted') > 2, 'a report over the new connection');
    using other = await RawAgent.open(bench.port);
    await other.say(snapshot({ bootId: 'another-boot', epoch: clock.wallMs() + 1 }));
    await until(() => waitsMs.length === 5, 'the agent is replaced');
    assert.deepEqual([waitsMs, other.closed], [[500, 1000, 2000, 500, 30_000], null]);
  });

  test('says in its log why it is refused, and goes on trying', async () => {
    const lines: string[] = [];
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => lines.push(String(fields['reason'])) };
    await using bench = await HubBench.start();
    bench.tokens.delete('weir_eu');
    bench.run({}, { log });
    await until(() => lines.length > 0, 'a refusal');
    assert.match(lines[0] ?? '', /does not know the token \(401\)/);
    bench.tokens.set('weir_eu', { cluster: 'eu' });
    await until(() => bench.agent('eu').state === 'fresh', 'the agent is fresh');
  });

  test('gives up a hub that takes reports and never answers', async () => {
    const clock = new ManualClock();
    await using bench = await HubBench.start();
    let attempts = 0;
    const reasons: string[] = [];
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => reasons.push(String(fields['reason'])) };
    // Between agent and hub: lets the first connection through until the hub is to fall silent.
    let silent = false;
    const between = createServer((agentSide) => {
      attempts += 1;
      const hubSide = connect(bench.port, '127.0.0.1');
      agentSide.on('data', (chunk) => silent || hubSide.write(chunk));
      hubSide.on('data', (chunk) => silent || agentSide.write(chunk));
      for (const [one, other] of [
        [agentSide, hubSide],
        [hubSide, agentSide],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    });
    between.listen(0, '127.0.0.1');
    await once(between, 'listening');
    bench.run({ hubs: [`ws://127.0.0.1:${(between.address() as AddressInfo).port}`], periodMs: 1000 }, { log, clock });
    await until(() => bench.count('eu accepted') === 1, 'the first report');
    silent = true;
    await clock.elapse(11_000);
    assert.deepEqual(reasons, ['the hub is silent']);
    silent = false;
    await clock.elapse(1000);
    await until(() => bench.count('eu accepted') > 1, 'reports over a new connection');
    assert.equal(attempts, 2);
    between.close();
  });

  test('cannot start with an address, a period, a capacity or an authority that is none, and says so', async () => {
    const bench = new HubBench();
    const problems: string[] = [];
    const log = { ...silentLog, error: (_fields: Readonly<Record<string, unknown>>, message: string) => problems.push(message) };
    const wrong = [
      { hubs: ['http://127.0.0.1:1'] },
      { hubs: ['edge'] },
      { hubs: ['ws://name:secret@127.0.0.1:1'] },
      { periodMs: 5 },
      { capacityRps: -1 },
      { capacityRps: NaN },
      { caFile: '/nowhere/ca.crt' },
    ];
    for (const settings of wrong)
      assert.equal(await bench.run({ hubs: ['ws://127.0.0.1:1'], ...settings }, { log }).stop(), 1, JSON.stringify(settings));
    assert.equal(problems.length, wrong.length);
    assert.match(problems.at(-1) ?? '', /of \/nowhere\/ca\.crt not all can be read: ENOENT/);
  });
});

describe('TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-hub-'));
  const authority = makeCertificate(directory, { names: ['authority.test'] });
  const { cert, key } = makeCertificate(directory, { names: ['127.0.0.1', 'localhost'], ca: authority });
  test.after(() => rmSync(directory, { recursive: true }));
  const tls = { certificates: [{ cert, key }], minVersion: 'TLSv1.2', ciphers: INTERMEDIATE_SUITES, clientCertificates: null } as const;

  test('an agent that trusts the authority reports over wss', async () => {
    await using bench = await HubBench.start({ tls });
    for (const host of ['127.0.0.1', 'localhost']) {
      const before = bench.count('eu accepted');
      const agent = bench.run({ hubs: [`wss://${host}:${bench.port}`], caFile: authority.cert });
      await until(() => bench.count('eu accepted') > before, `a report over ${host}`);
      await agent.stop();
    }
  });

  test('an agent that does not know the authority sends no token', async () => {
    await using bench = await HubBench.start({ tls });
    const reasons: string[] = [];
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => reasons.push(String(fields['reason'])) };
    bench.run({ hubs: [`wss://127.0.0.1:${bench.port}`] }, { log });
    await until(() => reasons.length > 0, 'a failure');
    assert.match(reasons[0] ?? '', /certificate|issuer/);
    assert.deepEqual(bench.counts, {});
  });

  test('a renewed certificate is used for new connections, and the open one stays', async () => {
    const clock = new ManualClock();
    await using bench = await HubBench.start({ tls, clock });
    bench.run({ hubs: [`wss://127.0.0.1:${bench.port}`], caFile: authority.cert });
    await until(() => bench.count('eu accepted') > 0, 'a report');
    const newAuthority = makeCertificate(directory, { names: ['new-authority.test'] });
    const renewed = makeCertificate(directory, { names: ['127.0.0.1', 'localhost'], ca: newAuthority, file: 'renewed' });
    copyFileSync(renewed.cert, cert);
    copyFileSync(renewed.key, key);
    clock.advance(2000);
    bench.run({ hubs: [`wss://localhost:${bench.port}`], cluster: 'us', token: 'weir_us', caFile: newAuthority.cert });
    await until(() => bench.count('us accepted') > 0, 'a report over the new certificate');
    const before = bench.count('eu accepted');
    // Reports are answered on the same connection: one that was opened anew would not trust the new authority.
    await until(() => bench.count('eu accepted') > before, 'a report over the old connection');
  });
});
