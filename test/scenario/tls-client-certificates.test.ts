// Certificates of clients: asked for by a listener, needed by a route, told to the cluster, and the same after a resumption.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { makeCertificate, type TestCertificate } from '../support/certificates.ts';
import { startOrigin } from '../support/origin.ts';
import { visit, type TlsVisit, type VisitOptions } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

test('certificates of clients', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-clients-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const server = makeCertificate(directory, { names: ['shop.example'] });
  const authority = makeCertificate(directory, { names: ['authority.example'] });
  const stranger = makeCertificate(directory, { names: ['stranger.example'] });
  const between = makeCertificate(directory, { names: ['between.example'], ca: authority, authority: true });
  const client = makeCertificate(directory, { names: ['client.example'], ca: authority });
  const below = makeCertificate(directory, { names: ['below.example'], ca: between });
  const [visitor, host] = (['clientAuth', 'serverAuth'] as const).map((usage) =>
    makeCertificate(directory, { names: ['shop.example'], ca: authority, usage, file: usage }),
  ) as [TestCertificate, TestCertificate];
  const foreign = makeCertificate(directory, { names: ['client.example'], ca: stranger, file: 'foreign' });
  const origin = await startOrigin(t, (request, response) => {
    const { 'client-cert': certificate = '-', 'client-cert-chain': chain = '-' } = request.headers;
    response.end(`${String(certificate)} ${String(chain)}`);
  });
  const files = `certificates: [{ cert: "${server.cert}", key: "${server.key}" }]`;
  const listener = (mode: string, forward: string): string =>
    `{ bind: "127.0.0.1:0", tls: { ${files}, clientCertificates: { mode: ${mode}, ca: "${authority.cert}", forward: ${forward} } } }`;
  const yaml = `listeners:
  plain: { bind: "127.0.0.1:0" }
  web: { bind: "127.0.0.1:0", tls: { ${files} } }
  optional: ${listener('optional', 'certificate')}
  required: ${listener('required', 'none')}
  chain: ${listener('required', 'chain')}
clusters:
  east: { endpoints: ["${origin.endpoint}"] }
services:
  demo: { versions: { blue: { clusters: { east: {} } } } }
routes:
  - { service: demo }
  - { name: inner, match: { path: /inner }, service: demo, clientCertificate: required }
`;
  const appliance = await startAppliance(t, { yaml });
  const ask = async (where: string, options: Partial<VisitOptions> = {}): Promise<TlsVisit> =>
    visit({ port: appliance.port(where), servername: 'shop.example', ...options });
  const withOne = ({ cert, key }: TestCertificate, ...chain: TestCertificate[]): Partial<VisitOptions> => ({
    cert: [cert, ...chain.map((link) => link.cert)].map((file) => readFileSync(file, 'utf8')).join(''),
    key: readFileSync(key),
  });
  const derOf = ({ pem }: TestCertificate): string => `:${new X509Certificate(pem).raw.toString('base64')}:`;
  const counted = async (where: string): Promise<number> => {
    const pattern = new RegExp(
      `^weir_connections_refused_total\\{(?=[^}]*listener="${where}")(?=[^}]*reason="client_certificate")[^}]*\\} (\\d+)`,
      'm',
    );
    return Number(pattern.exec(await appliance.metrics())?.[1] ?? 0);
  };

  for (const version of VERSIONS) {
    const at = { minVersion: version, maxVersion: version };

    await t.test(
      `${version}: where one is required, none is let in without, with one of another authority, or with that of a server`,
      async () => {
        const before = await counted('required');
        for (const one of [client, visitor]) assert.equal((await ask('required', { ...at, ...withOne(one) })).status, 200);
        // TLS 1.3 lets the client believe that the handshake is over before its certificate was looked at.
        const status = async (options: Partial<VisitOptions>): Promise<number> =>
          ask('required', { ...at, ...options }).then(
            (seen) => seen.status,
            () => 0,
          );
        assert.equal(await status({}), 0);
        assert.equal(await status(withOne(foreign)), 0);
        assert.equal(await status(withOne(server)), 0);
        assert.equal(await status(withOne(host)), 0);
        await until(async () => (await counted('required')) >= before + 4, 'the four are counted');
      },
    );

    await t.test(`${version}: where it is optional, none is fine, and a bad one is not`, async () => {
      assert.equal((await ask('optional', at)).body, '- -');
      assert.equal((await ask('optional', { ...at, ...withOne(client) })).body, `${derOf(client)} -`);
      const refused = ask('optional', { ...at, ...withOne(foreign) }).then(
        (seen) => seen.status,
        () => 0,
      );
      assert.equal(await refused, 0);
    });

    await t.test(`${version}: a route that needs one answers 403 without, whatever a stranger says of himself`, async () => {
      const claim = `Client-Cert: ${derOf(client)}\r\n`;
      const without = await ask('optional', { ...at, path: '/inner', lines: claim });
      assert.equal(without.status, 403);
      assert.match(without.body, /"code":"client_certificate_required"/);
      assert.equal((await ask('optional', { ...at, ...withOne(client), path: '/inner', lines: claim })).body, `${derOf(client)} -`);
      assert.equal((await ask('web', { ...at, ...withOne(client), path: '/inner' })).status, 403, 'a listener that asks for none');
      assert.equal((await ask('web', { ...at, lines: claim })).body, '- -');
    });

    await t.test(`${version}: a request for another host than the connection was made for gets 421 and may try again`, async () => {
      const other = await ask('optional', { ...at, host: 'other.example', path: '/inner' });
      assert.equal(other.status, 421);
      assert.match(other.body, /"code":"misdirected_request"/);
      assert.equal((await ask('optional', { ...at, host: 'other.example', path: '/' })).status, 200);
      assert.equal((await ask('optional', { ...at, ...withOne(client), host: 'other.example', path: '/inner' })).status, 200);
    });

    await t.test(`${version}: a resumed session is the same client, and none of it counts at another listener`, async () => {
      const { session } = await ask('optional', { ...at, ...withOne(client) });
      for (let count = 0; count < 6; count += 1) {
        const again = await ask('optional', { ...at, ...withOne(client), session, path: '/inner' });
        assert.deepEqual([again.reused, again.status, again.body], [true, 200, `${derOf(client)} -`]);
      }
      const none = await ask('optional', at);
      const resumed = await ask('optional', { ...at, session: none.session, path: '/inner' });
      assert.deepEqual([resumed.reused, resumed.status], [true, 403]);
      await assert.rejects(async () => {
        const { status } = await ask('required', { ...at, session: none.session });
        if (status === 0) throw new Error('not let in');
      });
    });

    await t.test(`${version}: the chain is told where it is wanted, and there no session is resumed without it`, async () => {
      const first = await ask('chain', { ...at, ...withOne(below, between) });
      const [certificate, ...chain] = first.body.split(/,? /);
      assert.deepEqual([certificate, chain[0]], [derOf(below), derOf(between)]);
      const again = await ask('chain', { ...at, ...withOne(below, between), session: first.session });
      assert.deepEqual([again.reused, again.body], [false, first.body]);
    });
  }

  await t.test('plain connections never have one', async () => {
    const { status } = await appliance.get(new URL('/inner', appliance.url('plain')).href);
    assert.equal(status, 403);
  });

  await t.test('other authorities on disk count from then on, for sessions too', async () => {
    const { session } = await ask('required', withOne(client));
    copyFileSync(stranger.cert, authority.cert);
    const letIn = async (options: Partial<VisitOptions>): Promise<boolean> =>
      ask('required', options).then(
        (seen) => seen.status === 200,
        () => false,
      );
    await appliance.certificatesReRead('required');
    for (let visits = 0; visits < 8; visits += 1) {
      assert.equal(await letIn(withOne(foreign)), true, 'signed by the new authority');
      assert.equal(await letIn({ ...withOne(client), session }), false, 'signed by the old one');
    }
  });
});
