// Agents that prove themselves with certificates, over real TLS: whose certificate speaks for which cluster, and when it does so no more.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { INTERMEDIATE_SUITES } from '../../../../balancer/config/cipher-suites.ts';
import type { ListenerTls } from '../../../../balancer/config/config.ts';
import type { HubParts } from '../../../../balancer/controller/hub/hub.ts';
import { silentLog } from '../../../../balancer/log.ts';
import { makeCertificate, makeRevocations } from '../../../support/certificates.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { until } from '../../../support/until.ts';

const directory = mkdtempSync(join(tmpdir(), 'weir-hub-'));
test.after(() => rmSync(directory, { recursive: true }));
const authority = makeCertificate(directory, { names: ['authority.test'] });
const server = makeCertificate(directory, { names: ['127.0.0.1'], ca: authority });
const agents = makeCertificate(directory, { names: ['agents-authority.test'] });
const ofEu = makeCertificate(directory, { names: ['agent.eu.test'], ca: agents });
const ofUs = makeCertificate(directory, { names: ['agent.us.test'], ca: agents });
const selfMade = makeCertificate(directory, { names: ['agent.eu.test'], file: 'self-made' });

const NAMES: Readonly<Record<string, readonly string[]>> = { eu: ['agent.eu.test'], us: ['agent.us.test'] };

function wish(clients: Partial<NonNullable<ListenerTls['clientCertificates']>> = {}): Partial<HubParts> {
  const clientCertificates = { mode: 'optional', ca: agents.cert, crl: null, forward: 'none', ...clients } as const;
  const { cert, key } = server;
  const tls = { certificates: [{ cert, key }], minVersion: 'TLSv1.2', ciphers: INTERMEDIATE_SUITES, clientCertificates } as const;
  return { tls, certificateNames: (cluster) => NAMES[cluster] ?? [] };
}

/** A real agent; what it says in its log of why it is not let in. */
function run(
  bench: HubBench,
  certificate: typeof ofEu | null,
  token: string | null,
  cluster = 'eu',
): { readonly reasons: string[]; readonly stop: () => Promise<unknown> } {
  const reasons: string[] = [];
  const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => reasons.push(String(fields['reason'])) };
  const files = certificate === null ? null : { certFile: certificate.cert, keyFile: certificate.key };
  const { stop } = bench.run(
    { hubs: [`wss://127.0.0.1:${bench.port}`], cluster, token, certificate: files, caFile: authority.cert },
    { log },
  );
  return { reasons, stop };
}

describe('a certificate', () => {
  test('speaks for the cluster whose name it bears, without a token', async () => {
    await using bench = await HubBench.start(wish());
    run(bench, ofEu, null);
    await until(() => bench.count('eu accepted') > 0, 'a report');
  });

  test('speaks for no other cluster, whatever the token says', async () => {
    await using bench = await HubBench.start(wish());
    const { reasons } = run(bench, ofUs, 'weir_any');
    await until(() => reasons.length > 0, 'a refusal');
    assert.match(reasons[0] ?? '', /for another cluster \(403\)/);
    assert.equal(bench.count('eu accepted'), 0);
  });

  test('of an authority that is not trusted is refused, with a good token too', async () => {
    await using bench = await HubBench.start(wish());
    const { reasons } = run(bench, selfMade, 'weir_eu');
    await until(() => reasons.length > 0, 'a refusal');
    assert.ok(bench.count('wrong_certificate') > 0);
    assert.equal(bench.count('eu accepted'), 0);
  });

  test('does not make a bad token good', async () => {
    await using bench = await HubBench.start(wish());
    const { reasons } = run(bench, ofEu, 'weir_unknown');
    await until(() => reasons.length > 0, 'a refusal');
    assert.ok(bench.count('wrong_token') > 0);
  });

  test('can be required, and then a token alone ends in the handshake', async () => {
    await using bench = await HubBench.start(wish({ mode: 'required' }));
    const { reasons, stop } = run(bench, null, 'weir_eu');
    await until(() => reasons.length > 0, 'a refusal');
    assert.match(reasons[0] ?? '', /certificate/i);
    await stop();
    run(bench, ofEu, 'weir_eu');
    await until(() => bench.count('eu accepted') > 0, 'with both it is let in');
  });

  test('that a hub without authorities gets is not looked at: a token is needed', async () => {
    await using bench = await HubBench.start({ ...wish(), tls: { ...(wish().tls ?? assert.fail()), clientCertificates: null } });
    const { reasons } = run(bench, ofEu, null);
    await until(() => reasons.length > 0, 'a refusal');
    assert.ok(bench.count('no_token') > 0);
  });

  test('that is revoked while its agent is connected ends the connection', async () => {
    const crl = join(directory, 'revoked.pem');
    makeRevocations(crl, agents, { revoked: [] });
    await using bench = await HubBench.start(wish({ crl }));
    run(bench, ofEu, null);
    run(bench, ofUs, null, 'us');
    await until(() => bench.count('eu accepted') > 0 && bench.count('us accepted') > 0, 'both report');
    makeRevocations(crl, agents, { revoked: [ofEu] });
    await until(() => bench.agent('eu').state === 'stale', 'the revoked one has fallen silent', 10_000);
    const { 'us accepted': before = 0 } = bench.counts;
    await until(() => bench.count('us accepted') > before + 2, 'the other one is back');
    const { 'eu accepted': last = 0 } = bench.counts;
    await until(() => bench.count('us accepted') > before + 8, 'time passes');
    assert.equal(bench.count('eu accepted'), last);
  });

  test('whose name leaves the config ends the connection', async () => {
    const names = { ...NAMES };
    await using bench = await HubBench.start({ ...wish(), certificateNames: (cluster) => names[cluster] ?? [] });
    const { reasons } = run(bench, ofEu, null);
    await until(() => bench.count('eu accepted') > 0, 'a report');
    names['eu'] = ['another.eu.test'];
    await until(() => reasons.length > 0, 'the connection is ended');
    assert.match(reasons[0] ?? '', /for another cluster/);
  });

  test('is read anew before each connection', async () => {
    const own = makeCertificate(directory, { names: ['agent.us.test'], ca: agents, file: 'renewed-agent' });
    await using bench = await HubBench.start(wish());
    const { reasons } = run(bench, own, null);
    await until(() => reasons.length > 0, 'it is for the wrong cluster at first');
    for (const part of ['cert', 'key'] as const) writeFileSync(own[part], readFileSync(ofEu[part]));
    await until(() => bench.count('eu accepted') > 0, 'a report with the new one', 10_000);
  });
});
