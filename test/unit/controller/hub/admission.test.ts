// Connections that come all at once are begun one after the other, in their order, and what waited is served as if it had not; plans and looks alike.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { INTERMEDIATE_SUITES } from '../../../../balancer/config/cipher-suites.ts';
import { Admission } from '../../../../balancer/controller/hub/admission.ts';
import { Paced } from '../../../../balancer/controller/hub/paced.ts';
import { makeCertificate } from '../../../support/certificates.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { until } from '../../../support/until.ts';

test('ten begin at once, then two hundred a second, in the order in which they came', async (t) => {
  const clock = new ManualClock();
  const begun: number[] = [];
  const server = createServer((socket) => begun.push(socket.remotePort ?? 0));
  const admission = new Admission(clock);
  admission.hold(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  t.after(() => {
    admission.close();
    clients.forEach((client) => client.destroy());
    server.close();
  });
  for (let index = 0; index < 50; index += 1) {
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    await once(client, 'connect');
    clients.push(client);
  }
  await until(() => begun.length + admission.waiting === 50, 'all have arrived');
  assert.equal(begun.length, 10);
  // One that leaves while it waits takes nobody's turn.
  clients[10]?.destroy();
  await until(async () => (await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))) === 49, 'it has left');
  clock.advance(100);
  const order = clients.map(({ localPort }) => localPort);
  assert.deepEqual(begun, [...order.slice(0, 10), ...order.slice(11, 31)]);
  clock.advance(100);
  assert.deepEqual(begun.length, 49);
  assert.equal(admission.waiting, 0);
});

test('a connection that waited too long is ended: its agent has given up', async (t) => {
  const clock = new ManualClock();
  let begun = 0;
  const server = createServer(() => (begun += 1));
  const admission = new Admission(clock);
  admission.hold(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients = Array.from({ length: 11 }, () => connect((server.address() as AddressInfo).port, '127.0.0.1'));
  t.after(() => {
    clients.forEach((client) => client.destroy());
    server.close();
  });
  await until(() => begun + admission.waiting === 11, 'all have arrived');
  clock.standStill(30_000);
  clock.advance(0);
  assert.deepEqual([begun, admission.waiting], [10, 0]);
});

test('what waited speaks as if it had not: plain and over TLS, with all that it had sent before its turn', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-admission-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const authority = makeCertificate(directory, { names: ['authority.test'] });
  const { cert, key } = makeCertificate(directory, { names: ['127.0.0.1'], ca: authority });
  const tls = { certificates: [{ cert, key }], minVersion: 'TLSv1.2', ciphers: INTERMEDIATE_SUITES, clientCertificates: null } as const;
  const clusters = Array.from({ length: 40 }, (_, index) => `c${index}`);
  for (const bound of [null, tls]) {
    await using bench = await HubBench.start({ tls: bound, clusters: () => new Set(clusters) });
    const hub = `${bound === null ? 'ws' : 'wss'}://127.0.0.1:${bench.port}`;
    for (const cluster of clusters) bench.run({ hubs: [hub], cluster, token: 'weir_any', caFile: bound === null ? null : authority.cert });
    await until(() => clusters.every((cluster) => bench.count(`${cluster} accepted`) > 0), 'all report', 20_000);
  }
});

test('plans for the sake of many are made at once, and then once for all that ask within a time', () => {
  const clock = new ManualClock();
  const doneAtMs: number[] = [];
  const paced = new Paced(clock, 200, () => doneAtMs.push(clock.nowMs()));
  for (let index = 0; index < 100; index += 1) {
    paced.ask();
    clock.advance(10);
  }
  clock.advance(1000);
  assert.deepEqual(doneAtMs, [0, 200, 400, 600, 800, 1000]);
  paced.ask();
  assert.equal(doneAtMs.length, 7);
});
