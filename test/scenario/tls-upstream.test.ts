// TLS towards clusters: verified by default; an authority, a name or a wrong port decides whether a request gets through, and the rest is a 502.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { named, startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

test('endpoints with https', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tls-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authority = makeCertificate(directory, { names: ['authority.example'] });
  const { pem: cert, key } = makeCertificate(directory, { names: ['gateway.east.example', '127.0.0.1'], ca: authority });
  const other = makeCertificate(directory, { names: ['gateway.west.example'], ca: authority });
  const tls = async (certificate: { readonly pem: string; readonly key: string }) =>
    startOrigin(t, named('over TLS'), { tls: { cert: certificate.pem, key: readFileSync(certificate.key) } });
  const [east, west] = [await tls({ pem: cert, key }), await tls(other)];
  const edge = makeCertificate(directory, { names: ['edge.example'], ca: authority });
  const asking = { cert, key: readFileSync(key), ca: authority.pem, requestCert: true, rejectUnauthorized: true };
  const demanding = await startOrigin(t, named('over TLS'), { tls: asking });
  const probe = 'health: { http: { path: /healthz } }';
  const plain = await startOrigin(t, named('plain'));
  const ca = `ca: "${authority.cert}"`;
  const clusters: Readonly<Record<string, string>> = {
    unknown: `{ endpoints: ["${east.endpoint}"] }`,
    trusted: `{ endpoints: ["${east.endpoint}"], tls: { ${ca} } }`,
    named: `{ endpoints: ["${west.endpoint}"], tls: { ${ca}, serverName: gateway.west.example } }`,
    misnamed: `{ endpoints: ["${east.endpoint}"], tls: { ${ca}, serverName: gateway.west.example } }`,
    unnamed: `{ endpoints: ["${west.endpoint}"], tls: { ${ca} } }`,
    unverified: `{ endpoints: ["${west.endpoint}"], tls: { verify: false } }`,
    proven: `{ endpoints: ["${demanding.endpoint}"], ${probe}, tls: { ${ca}, cert: "${edge.cert}", key: "${edge.key}" } }`,
    unproven: `{ endpoints: ["${demanding.endpoint}"], ${probe}, tls: { ${ca} } }`,
    'tls-to-plain': `{ endpoints: ["https://127.0.0.1:${plain.port}"], tls: { verify: false } }`,
    'plain-to-tls': `{ endpoints: ["http://127.0.0.1:${east.port}"] }`,
  };
  const appliance = await startAppliance(t, { yaml: config(clusters) });
  const get = async (cluster: string) => appliance.get(`/${cluster}`);

  for (const cluster of ['trusted', 'named', 'unverified', 'proven'])
    await t.test(`${cluster}: answered over TLS`, async () => {
      const { status, body } = await get(cluster);
      assert.deepEqual([status, body], [200, 'over TLS']);
    });

  const refused: Readonly<Record<string, string>> = {
    unknown: 'the authority is not one of the system',
    misnamed: 'the certificate has another name than the config demands',
    unnamed: 'the certificate does not have the address of the endpoint',
    'tls-to-plain': 'the endpoint does not speak TLS',
  };
  for (const [cluster, why] of Object.entries(refused))
    await t.test(`${cluster}: 502, as ${why}`, async () => {
      const { status, body, headers } = await get(cluster);
      assert.equal(status, 502, body);
      const problem = JSON.parse(body) as { readonly code: string };
      assert.equal(problem.code, 'tls_failed');
      assert.equal(headers['proxy-status'], 'weir; error=tls_certificate_error');
      assert.doesNotMatch(body, /127\.0\.0\.1|gateway|certificate/i, 'nothing about the inside');
      const counted = new RegExp(`^weir_upstream_failures_total\\{[^}]*cluster="${cluster}"[^}]*reason="tls_failed"[^}]*\\} [1-9]`, 'm');
      await until(async () => counted.test(await appliance.metrics()), 'the failure is counted');
    });

  await t.test('unproven: 502, as the endpoint demands a certificate', async () => {
    assert.equal((await get('unproven')).status, 502);
  });

  await t.test('plain-to-tls: 502, as the endpoint speaks only TLS', async () => {
    const { status, body } = await get('plain-to-tls');
    assert.equal(status, 502, body);
  });

  await t.test('a probe proves itself as requests do', async () => {
    const health = async () => Object.fromEntries((await appliance.status()).clusters.map(({ name, health: state }) => [name, state]));
    await until(async () => (await health())['unproven'] === 'down', 'the cluster that demands a certificate is down', 10_000);
    assert.equal((await health())['proven'], 'up');
  });

  await t.test('a probe verifies too', async () => {
    const health = async () => Object.fromEntries((await appliance.status()).clusters.map(({ name, health: state }) => [name, state]));
    await until(async () => (await health())['unknown'] === 'down', 'the cluster with an unknown authority is down', 10_000);
    assert.equal((await health())['trusted'], 'up');
    const reason = (await appliance.status()).clusters.find(({ name }) => name === 'unknown')?.endpoints[0]?.reason;
    assert.match(reason ?? '', /certificate|UNABLE_TO_|SELF_SIGNED/i);
  });
});

/** One service and one route per cluster, all with its name. */
function config(clusters: Readonly<Record<string, string>>): string {
  const names = Object.keys(clusters);
  return `clusters:
${names.map((name) => `  ${name}: ${clusters[name] ?? ''}`).join('\n')}
services:
${names.map((name) => `  ${name}: { versions: { blue: { clusters: { ${name}: {} } } } }`).join('\n')}
routes:
${names.map((name) => `  - { match: { path: /${name} }, service: ${name} }`).join('\n')}
`;
}
