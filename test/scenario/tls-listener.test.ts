// TLS towards clients: certificates by server name, renewed on disk under open connections, and strangers that end cleanly.
import assert from 'node:assert/strict';
import { renameSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { startOrigin } from '../support/origin.ts';
import { connectRaw, RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

test('a TLS listener', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tls-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const shop = makeCertificate(directory, { names: ['shop.example.com'], file: 'shop' });
  makeCertificate(directory, { names: ['*.wild.example', 'wild.example'], file: 'wild' });
  makeCertificate(directory, { names: ['a.wild.example'], file: 'exact' });
  const origin = await startOrigin(t, (incoming, response) => {
    response.end(`${String(incoming.headers['x-forwarded-proto'])} ${String(incoming.headers.host)}`);
  });
  const appliance = await startAppliance(t, { yaml: config(directory, origin.endpoint) });
  const port = appliance.port('secure');

  await t.test('the certificate is chosen by server name: exact before wildcard, one level deep, the first without a match', async (t) => {
    const table: readonly (readonly [string | null, string])[] = [
      ['shop.example.com', 'shop.example.com'],
      ['SHOP.example.com', 'shop.example.com'],
      ['b.wild.example', '*.wild.example'],
      ['wild.example', '*.wild.example'],
      ['a.wild.example', 'a.wild.example'],
      ['a.b.wild.example', 'shop.example.com'],
      ['nobody.example', 'shop.example.com'],
      [null, 'shop.example.com'],
    ];
    for (const [serverName, expected] of table) {
      const socket = await handshake(t, port, serverName);
      assert.equal(socket.getPeerCertificate().subject.CN, expected, `asked for ${serverName ?? 'no name'}`);
    }
  });

  await t.test('requests come through, the origin learns that they were https', async () => {
    assert.equal(await httpsGet(port, 'shop.example.com', shop.pem), 'https shop.example.com');
  });

  await t.test('what is older than the configured version of TLS is refused', async (t) => {
    await assert.rejects(handshake(t, port, 'shop.example.com', { maxVersion: 'TLSv1.2' }), /alert|protocol version/i);
  });

  await t.test('no client gets a second handshake on its connection, which would cost us more than it costs the client', async (t) => {
    for (const protocol of ['http/1.1', 'h2']) {
      const socket = await handshake(t, appliance.port('older'), null, { maxVersion: 'TLSv1.2', protocols: [protocol] });
      assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], ['TLSv1.2', protocol]);
      const refusal = await new Promise<Error | null>((resolve) => {
        socket.once('error', resolve);
        socket.renegotiate({}, resolve);
      });
      assert.match(refusal?.message ?? 'it was renegotiated', /no.renegotiation/i);
    }
  });

  await t.test('a certificate replaced on disk serves new handshakes, and an open connection goes on', async (t) => {
    const open = await handshake(t, port, 'shop.example.com');
    const client = new RawClient(open);
    client.send('GET /1 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n');
    await client.untilText('https shop.example.com');
    const before = open.getPeerCertificate().fingerprint256;
    const renewed = makeCertificate(directory, { names: ['shop.example.com'], file: 'renewed' });
    renameSync(renewed.key, shop.key);
    renameSync(renewed.cert, shop.cert);
    await appliance.certificatesReRead('secure');
    // The kernel chooses the worker of a connection; none of them has the old one any more.
    for (let handshakes = 0; handshakes < 8; handshakes += 1) {
      assert.notEqual((await handshake(t, port, 'shop.example.com')).getPeerCertificate().fingerprint256, before);
    }
    assert.notEqual((await handshake(t, port, null)).getPeerCertificate().fingerprint256, before, 'without a name, too');
    assert.equal(await httpsGet(port, 'shop.example.com', renewed.pem), 'https shop.example.com');
    client.send('GET /2 HTTP/1.1\r\nHost: still.example.com\r\n\r\n');
    await client.untilText('https still.example.com');
    assert.equal(open.getPeerCertificate().fingerprint256, before);
  });

  await t.test('plain HTTP on the TLS port is closed and counted', async (t) => {
    const client = await connectRaw(t, port);
    client.send('GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n');
    assert.doesNotMatch(await client.untilClosed(), /^HTTP/);
    const counted = async (): Promise<boolean> =>
      /^weir_connections_refused_total\{[^}]*listener="secure"[^}]*reason="tls_handshake"[^}]*\} [1-9]/m.test(await appliance.metrics());
    await until(counted, 'the refusal is counted');
  });

  await t.test('TLS on the plain port gets a 400 at once', async (t) => {
    const socket = connectPlain(appliance.port(), '127.0.0.1');
    t.after(() => socket.destroy());
    const client = new RawClient(socket);
    // The first record of a handshake: type 22, TLS 1.0, 512 bytes of ClientHello.
    client.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 400 /);
  });

  await t.test('a handshake that never comes to an end is cut off', async (t) => {
    const beganMs = performance.now();
    const client = await connectRaw(t, port);
    assert.equal(await client.untilClosed(), '');
    // The time-out is a second; timers of the worker may run on a time that is a little old.
    assert.ok(performance.now() - beganMs >= 500, 'not at once');
  });
});

/** Resolves when the handshake is over, whatever the certificate. */
async function handshake(
  t: TestContext,
  port: number,
  serverName: string | null,
  { maxVersion = 'TLSv1.3', protocols = [] }: { maxVersion?: 'TLSv1.2' | 'TLSv1.3'; protocols?: string[] } = {},
): Promise<TLSSocket> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    maxVersion,
    ...(protocols.length === 0 ? {} : { ALPNProtocols: protocols }),
    ...(serverName === null ? {} : { servername: serverName }),
  });
  t.after(() => void (socket satisfies Socket).destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** The body; the certificate is verified against `ca`. */
function httpsGet(port: number, host: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: host, headers: { host }, ca, agent: false };
    const outgoing = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve(body));
    });
    outgoing.once('error', reject).end();
  });
}

function config(directory: string, endpoint: string): string {
  const pair = (name: string): string => `{ cert: "${directory}/${name}.crt", key: "${directory}/${name}.key" }`;
  return `listeners:
  web: { bind: "127.0.0.1:0" }
  secure:
    bind: "127.0.0.1:0"
    tls: { certificates: [${['shop', 'wild', 'exact'].map(pair).join(', ')}], minVersion: TLSv1.3 }
    timeouts: { handshake: 1s }
  older: { bind: "127.0.0.1:0", tls: { certificates: [${pair('shop')}] } }
clusters:
  east: { endpoints: ["${endpoint}"] }
services:
  demo: { versions: { blue: { clusters: { east: {} } } } }
routes:
  - { service: demo }
`;
}
