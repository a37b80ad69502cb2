// The handshake of a TLS listener: what is negotiated by default and by config, and which tickets outlast what.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { INTERMEDIATE_SUITES } from '../../../balancer/config/cipher-suites.ts';
import type { ListenerConfig, ListenerTls } from '../../../balancer/config/config.ts';
import { acceptAlone } from '../../../balancer/listener/acceptor.ts';
import { silentLog } from '../../../balancer/log.ts';
import { ListenerSet } from '../../../balancer/worker/listener-set.ts';
import { makeCertificate, makeRevocations, type TestCertificate } from '../../support/certificates.ts';
import { loaded, SMALL_CONFIG } from '../../support/config-text.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { visit, type TlsVisit, type VisitOptions } from '../../support/tls-client.ts';
import { freePort } from '../../support/free-port.ts';

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

interface Bench {
  readonly directory: string;
  readonly certificate: TestCertificate;
  readonly refused: string[];
  /** A worker of its own: a set of listeners on one port. */
  worker(config: ListenerConfig, wallMs?: number): Promise<{ readonly set: ListenerSet; readonly clock: ManualClock }>;
  config(tls?: Partial<ListenerTls>): Promise<ListenerConfig>;
}

function bench(t: TestContext): Bench {
  const directory = mkdtempSync(join(tmpdir(), 'weir-handshake-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const certificate = makeCertificate(directory, { names: ['shop.example'] });
  const refused: string[] = [];
  const [web] = loaded(SMALL_CONFIG).listeners;
  return {
    directory,
    certificate,
    refused,
    worker: async (config, wallMs) => {
      const clock = new ManualClock(0, wallMs);
      const hooks: ConstructorParameters<typeof ListenerSet>[0] = {
        createAcceptor: acceptAlone,
        onConnection: (socket) => {
          socket.on('error', () => undefined).on('data', () => socket.end(HELLO));
        },
        onCertificateReload: () => undefined,
        onRefused: (_listener, reason) => refused.push(reason),
      };
      const set = new ListenerSet(hooks, clock, silentLog);
      set.setTicketKey(Buffer.alloc(48, 1));
      t.after(() => set.close());
      await set.apply([config]);
      return { set, clock };
    },
    config: async (tls = {}) => {
      assert.ok(web !== undefined);
      const files = { cert: certificate.cert, key: certificate.key };
      const full = {
        certificates: [files],
        minVersion: 'TLSv1.2',
        ciphers: INTERMEDIATE_SUITES,
        clientCertificates: null,
        ...tls,
      } as const;
      return { ...web, bind: { host: '127.0.0.1', port: await freePort() }, tls: full };
    },
  };
}

test('by default the handshake is the one of the intermediate guidelines', async (t) => {
  const on = bench(t);
  const config = await on.config();
  await on.worker(config);
  const ask = async (options: Partial<VisitOptions>): Promise<TlsVisit> =>
    visit({ port: config.bind.port, servername: 'shop.example', ...options });
  const only = (maxVersion: 'TLSv1.2' | 'TLSv1.3', ciphers: string): Promise<TlsVisit> => ask({ maxVersion, ciphers });

  for (const suite of INTERMEDIATE_SUITES.filter((name) => !name.includes('RSA'))) {
    const seen = await only(suite.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2', suite);
    assert.equal(seen.suite, suite);
  }
  for (const suite of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-ECDSA-AES128-SHA256'])
    await assert.rejects(only('TLSv1.2', suite), /handshake failure/i, suite);
  await assert.rejects(ask({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), /protocol version/i);
  for (const group of ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'])
    assert.equal((await ask({ ecdhCurve: group })).status, 200, group);
  await assert.rejects(ask({ ecdhCurve: 'secp521r1' }), /handshake failure/i);
  assert.ok(on.refused.every((reason) => reason === 'tls_handshake'));

  const preferred = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256';
  assert.equal((await only('TLSv1.2', preferred)).suite, 'ECDHE-ECDSA-CHACHA20-POLY1305', 'the client chooses');
});

test('other suites and versions can be named', async (t) => {
  const on = bench(t);
  const config = await on.config({ minVersion: 'TLSv1.3', ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] });
  await on.worker(config);
  assert.equal((await visit({ port: config.bind.port, servername: 'shop.example' })).suite, 'TLS_CHACHA20_POLY1305_SHA256');
  await assert.rejects(visit({ port: config.bind.port, maxVersion: 'TLSv1.2' }), /protocol version/i);
});

test('tickets outlast a renewed certificate, also when the key was replaced meanwhile', async (t) => {
  const on = bench(t);
  const config = await on.config();
  const { set, clock } = await on.worker(config);
  const ask = async (session?: Buffer): Promise<TlsVisit> =>
    visit({ port: config.bind.port, servername: 'shop.example', ...(session === undefined ? {} : { session }) });

  const first = await ask();
  set.setTicketKey(Buffer.alloc(48, 2));
  assert.equal((await ask(first.session)).reused, false, 'made with the key before');
  const second = await ask();
  const renewed = makeCertificate(on.directory, { names: ['renewed.example'] });
  copyFileSync(renewed.cert, on.certificate.cert);
  copyFileSync(renewed.key, on.certificate.key);
  clock.advance(1000);
  assert.equal((await ask()).name, 'renewed.example');
  assert.equal((await ask(second.session)).reused, true, 'made with the present key');
  assert.equal((await ask(first.session)).reused, false);
});

test('of many certificates the one with the name is found, and each is looked at in turn', async (t) => {
  const on = bench(t);
  const many = Array.from({ length: 150 }, (_, index) => ({ ...on.certificate, index }));
  const last = makeCertificate(on.directory, { names: ['last.example'] });
  const certificates = [...many, last].map(({ cert, key }) => ({ cert, key }));
  const config = await on.config({ certificates });
  const { clock } = await on.worker(config);
  const nameOf = async (servername: string): Promise<string> => (await visit({ port: config.bind.port, servername })).name;
  assert.deepEqual([await nameOf('last.example'), await nameOf('nobody.example')], ['last.example', 'shop.example']);
  const renewed = makeCertificate(on.directory, { names: ['last.example', 'renewed.example'], file: 'renewed' });
  copyFileSync(renewed.cert, last.cert);
  copyFileSync(renewed.key, last.key);
  clock.advance(1000);
  assert.equal(await nameOf('renewed.example'), 'shop.example');
  clock.advance(1000);
  assert.equal(await nameOf('renewed.example'), 'last.example');
});

test('a list of revoked certificates that runs out of date while nothing else changes ends resumptions, too', async (t) => {
  const on = bench(t);
  const authority = makeCertificate(on.directory, { names: ['authority.example'] });
  const client = makeCertificate(on.directory, { names: ['client.example'], ca: authority });
  const crl = join(on.directory, 'revoked.pem');
  const nextUpdate = new Date(Date.now() + 3_600_000);
  makeRevocations(crl, authority, { revoked: [], nextUpdate });
  const config = await on.config({ clientCertificates: { mode: 'optional', ca: authority.cert, crl, forward: 'none' } });
  const { clock } = await on.worker(config, nextUpdate.getTime() - 1000);
  const identity = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const ask = async (options: Partial<VisitOptions>): Promise<TlsVisit> =>
      visit({ port: config.bind.port, servername: 'shop.example', minVersion: version, maxVersion: version, ...options });
    const { session } = await ask(identity);
    const again = await ask({ ...identity, session });
    assert.deepEqual([again.reused, again.status], [true, 200]);
    clock.advance(2000);
    const outdated = await ask({ ...identity, session }).catch(() => null);
    assert.equal(outdated?.status ?? 0, 0);
    assert.equal((await ask({})).status, 200, 'a client without a certificate');
    clock.advance(-2000);
  }
  assert.deepEqual(on.refused, ['client_certificate', 'client_certificate']);
});
