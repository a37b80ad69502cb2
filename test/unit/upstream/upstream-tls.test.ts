// TLS to endpoints: weir proves itself, resumes sessions, takes up what changes on disk, and never resumes what a handshake would refuse.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { exchange } from '../../support/appliance.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

interface Scene {
  readonly directory: string;
  readonly authority: TestCertificate;
  readonly gateway: TestCertificate;
  readonly client: TestCertificate;
}

function scene(t: TestContext): Scene {
  const directory = mkdtempSync(join(tmpdir(), 'weir-upstream-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authority = makeCertificate(directory, { names: ['authority.example'] });
  return {
    directory,
    authority,
    gateway: makeCertificate(directory, { names: ['127.0.0.1'], ca: authority }),
    client: makeCertificate(directory, { names: ['edge.example'], ca: authority }),
  };
}

/** Says of each connection, which serves one request, who came and whether it was a resumption. */
const told = ({ socket }: IncomingMessage): string => {
  assert.ok(socket instanceof TLSSocket);
  const certificate = socket.getPeerX509Certificate();
  return `${/CN=(.*)/.exec(certificate?.subject ?? '')?.[1] ?? 'nobody'} ${socket.isSessionReused() ? 'again' : 'anew'}`;
};

async function through(
  t: TestContext,
  { gateway }: Scene,
  options: { readonly origin?: TlsOptions; readonly tls: object },
): Promise<() => Promise<string>> {
  const tls = { cert: gateway.pem, key: readFileSync(gateway.key), ...options.origin };
  const answer: Parameters<typeof startOrigin>[1] = (request, response) => response.setHeader('connection', 'close').end(told(request));
  const origin = await startOrigin(t, answer, { tls });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { tls: options.tls }, service: { retries: { attempts: 0 } } });
  return async () => {
    const { status, body } = await exchange(new URL(proxy.url), { agent: false });
    return status === 200 ? body : `${status} ${(JSON.parse(body) as { readonly code: string }).code}`;
  };
}

for (const version of VERSIONS) {
  const origin = { minVersion: version, maxVersion: version };

  test(`${version}: new connections resume the session of the one before`, async (t) => {
    const on = scene(t);
    const get = await through(t, on, { origin, tls: { ca: on.authority.cert } });
    assert.equal(await get(), 'nobody anew');
    for (let count = 0; count < 3; count += 1) assert.equal(await get(), 'nobody again');
  });

  test(`${version}: an endpoint that demands a certificate gets the one of the cluster`, async (t) => {
    const on = scene(t);
    const demanding = { ...origin, ca: on.authority.pem, requestCert: true, rejectUnauthorized: true };
    const { cert, key } = on.client;
    const proven = await through(t, on, { origin: demanding, tls: { ca: on.authority.cert, cert, key } });
    assert.equal(await proven(), 'edge.example anew');
    assert.equal(await proven(), 'edge.example again');
    const unproven = await through(t, on, { origin: demanding, tls: { ca: on.authority.cert } });
    assert.match(await unproven(), /^502 /);
  });

  test(`${version}: a wrong name stays wrong, however often it is tried`, async (t) => {
    const on = scene(t);
    const get = await through(t, on, { origin, tls: { ca: on.authority.cert, serverName: 'other.example' } });
    for (let count = 0; count < 3; count += 1) assert.equal(await get(), '502 tls_failed');
  });

  test(`${version}: another certificate on disk is shown from then on, and begins sessions of its own`, async (t) => {
    const on = scene(t);
    const asking = { ...origin, ca: on.authority.pem, requestCert: true };
    const { cert, key } = on.client;
    const get = await through(t, on, { origin: asking, tls: { ca: on.authority.cert, cert, key } });
    assert.deepEqual([await get(), await get()], ['edge.example anew', 'edge.example again']);
    const renewed = makeCertificate(on.directory, { names: ['renewed.example'], ca: on.authority });
    copyFileSync(renewed.key, key);
    copyFileSync(renewed.cert, cert);
    let seen = '';
    await until(async () => (seen = await get()).startsWith('renewed.example'), 'the new certificate is shown', 10_000);
    assert.equal(seen, 'renewed.example anew');
    assert.equal(await get(), 'renewed.example again');
  });

  test(`${version}: other authorities on disk count from then on, whatever session there was`, async (t) => {
    const on = scene(t);
    const get = await through(t, on, { origin, tls: { ca: on.authority.cert } });
    assert.deepEqual([await get(), await get()], ['nobody anew', 'nobody again']);
    const stranger = makeCertificate(on.directory, { names: ['stranger.example'] });
    copyFileSync(stranger.cert, on.authority.cert);
    await until(async () => (await get()) === '502 tls_failed', 'the endpoint is not trusted any more', 10_000);
    assert.equal(await get(), '502 tls_failed');
  });
}

test('files that do not fit together are not used, and what was read before is', async (t) => {
  const on = scene(t);
  const asking = { ca: on.authority.pem, requestCert: true };
  const { cert, key } = on.client;
  const get = await through(t, on, { origin: asking, tls: { ca: on.authority.cert, cert, key } });
  assert.equal(await get(), 'edge.example anew');
  const renewed = makeCertificate(on.directory, { names: ['renewed.example'], ca: on.authority });
  copyFileSync(renewed.cert, cert);
  const beganMs = performance.now();
  // Two looks at the least, of which none can use the pair.
  await until(async () => {
    assert.match(await get(), /^edge\.example /);
    return performance.now() - beganMs > 2200;
  }, 'two looks have passed');
  copyFileSync(renewed.key, key);
  await until(async () => (await get()).startsWith('renewed.example'), 'the pair is whole', 10_000);
});

test('what is older than the configured version is refused', async (t) => {
  const on = scene(t);
  const tls = { ca: on.authority.cert, minVersion: 'TLSv1.3' };
  assert.equal(await (await through(t, on, { origin: { maxVersion: 'TLSv1.2' }, tls }))(), '502 tls_failed');
  assert.equal(await (await through(t, on, { tls }))(), 'nobody anew');
});
