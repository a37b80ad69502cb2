// A new set of listeners comes into service as a whole or not at all.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { systemClock } from '../../../health/clock.ts';
import { acceptAlone } from '../../../balancer/listener/acceptor.ts';
import { INTERMEDIATE_SUITES } from '../../../balancer/config/cipher-suites.ts';
import { silentLog } from '../../../balancer/log.ts';
import { ListenerSet } from '../../../balancer/worker/listener-set.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { loaded, SMALL_CONFIG } from '../../support/config-text.ts';
import { freePort } from '../../support/free-port.ts';

test('when one certificate cannot be used, every listener keeps its own', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-listeners-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const before = makeCertificate(directory, { names: ['before.example'] });
  const after = makeCertificate(directory, { names: ['after.example'] });
  const [web] = loaded(SMALL_CONFIG).listeners;
  assert.ok(web !== undefined);
  const tls = (files: { cert: string; key: string }) => ({
    certificates: [{ cert: files.cert, key: files.key }],
    minVersion: 'TLSv1.2' as const,
    ciphers: INTERMEDIATE_SUITES,
    clientCertificates: null,
  });
  const ports = [await freePort(), await freePort()];
  const configs = (first: { cert: string; key: string }, second: { cert: string; key: string }) =>
    [first, second].map((files, i) => ({ ...web, name: `l${i}`, bind: { ...web.bind, port: ports[i] ?? 0 }, tls: tls(files) }));
  const set = new ListenerSet(
    {
      createAcceptor: acceptAlone,
      onConnection: (socket) => void socket.end(),
      onRefused: () => undefined,
      onCertificateReload: () => undefined,
    },
    systemClock,
    silentLog,
  );
  t.after(() => set.close());
  await set.apply(configs(before, before));
  await assert.rejects(set.apply(configs(after, { cert: join(directory, 'none.crt'), key: after.key })));
  assert.equal(await nameAt(ports[0] ?? 0), 'before.example');
  await set.apply(configs(after, before));
  assert.equal(await nameAt(ports[0] ?? 0), 'after.example');
  assert.equal(await nameAt(ports[1] ?? 0), 'before.example');
});

test('listeners that are gone, with their last connection, are let go', async () => {
  const [web] = loaded(SMALL_CONFIG).listeners;
  assert.ok(web !== undefined);
  let closes = 0;
  const createAcceptor = () => ({ open: () => Promise.resolve(), close: () => Promise.resolve(void (closes += 1)) });
  const hooks = { createAcceptor, onConnection: () => undefined, onRefused: () => undefined, onCertificateReload: () => undefined };
  const set = new ListenerSet(hooks, systemClock, silentLog);
  for (let move = 0; move < 50; move += 1) await set.apply([{ ...web, bind: { ...web.bind, port: 1000 + (move % 2) } }]);
  await new Promise((resolve) => setImmediate(resolve));
  closes = 0;
  await set.close();
  assert.ok(closes <= 2, `${closes} are closed again`);
});

async function nameAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}
