// Revoked certificates of clients: refused from the moment the list says so, in new handshakes and in resumed sessions; others are let in.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { makeCertificate, makeRevocations, type TestCertificate } from '../support/certificates.ts';
import { named, startOrigin } from '../support/origin.ts';
import { visit, type VisitOptions } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

test('revoked certificates of clients', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-revoked-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authority = makeCertificate(directory, { names: ['authority.example'] });
  const server = makeCertificate(directory, { names: ['shop.example'] });
  const client = (name: string): TestCertificate => makeCertificate(directory, { names: [`${name}.example`], ca: authority });
  const [good, bad, later] = [client('good'), client('bad'), client('later')];
  const list = join(directory, 'revoked.pem');
  makeRevocations(list, authority, { revoked: [bad] });
  const origin = await startOrigin(t, named('origin'));
  const files = `certificates: [{ cert: "${server.cert}", key: "${server.key}" }]`;
  const listener = (mode: string): string =>
    `{ bind: "127.0.0.1:0", tls: { ${files}, clientCertificates: { mode: ${mode}, ca: "${authority.cert}", crl: "${list}" } } }`;
  const yaml = `listeners:
  required: ${listener('required')}
  optional: ${listener('optional')}
clusters:
  east: { endpoints: ["${origin.endpoint}"] }
services:
  demo: { versions: { blue: { clusters: { east: {} } } } }
routes: [{ service: demo }]
`;
  const appliance = await startAppliance(t, { yaml });
  const withOne = ({ cert, key }: TestCertificate): Partial<VisitOptions> => ({ cert: readFileSync(cert), key: readFileSync(key) });
  /** The status of the answer; 0: not let in. */
  const ask = async (where: string, options: Partial<VisitOptions>): Promise<{ status: number; reused: boolean; session: Buffer }> =>
    visit({ port: appliance.port(where), servername: 'shop.example', ...options }).catch(() => ({
      status: 0,
      reused: false,
      session: Buffer.alloc(0),
    }));
  const status = async (where: string, options: Partial<VisitOptions>): Promise<number> => (await ask(where, options)).status;
  /** With both workers: so many in a row that one of them alone is past belief. */
  const untilAll = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    let inARow = 0;
    await until(
      async () => {
        inARow = (await holds()) ? inARow + 1 : 0;
        return inARow >= 8;
      },
      what,
      10_000,
    );
  };

  for (const version of VERSIONS) {
    const at = { minVersion: version, maxVersion: version };
    await t.test(
      `${version}: a revoked one is refused, required or not; others are let in, and so is none where that is allowed`,
      async () => {
        assert.deepEqual(
          [
            await status('required', { ...at, ...withOne(bad) }),
            await status('optional', { ...at, ...withOne(bad) }),
            await status('required', { ...at, ...withOne(good) }),
            await status('optional', { ...at, ...withOne(good) }),
            await status('optional', at),
          ],
          [0, 0, 200, 200, 200],
        );
      },
    );
  }

  await t.test('one that is revoked later is refused with the session it has, too, and others begin new ones', async () => {
    const sessions = new Map<string, Buffer>();
    for (const version of VERSIONS) {
      const at = { minVersion: version, maxVersion: version };
      const { session } = await ask('required', { ...at, ...withOne(later) });
      sessions.set(version, session);
      const again = await ask('required', { ...at, ...withOne(later), session });
      assert.deepEqual([again.status, again.reused], [200, true], 'resumed as long as it is not revoked');
    }
    makeRevocations(list, authority, { revoked: [bad, later] });
    await untilAll('it is refused by both workers', async () => {
      const answers: number[] = [];
      for (const version of VERSIONS) {
        const at = { minVersion: version, maxVersion: version };
        answers.push(await status('required', { ...at, ...withOne(later), session: sessions.get(version) }));
        answers.push(await status('optional', { ...at, ...withOne(later) }));
      }
      return answers.every((answer) => answer === 0);
    });
    assert.equal(await status('required', withOne(good)), 200);
  });

  await t.test('with a list that is out of date nobody is let in by a certificate, until there is a newer one', async () => {
    const { session } = await ask('required', withOne(good));
    makeRevocations(list, authority, { revoked: [bad], nextUpdate: new Date(Date.now() - 1000) });
    await untilAll('the good one is refused by both workers', async () => {
      const answers = [await status('required', withOne(good)), await status('required', { ...withOne(good), session })];
      return answers.every((answer) => answer === 0) && (await status('optional', withOne(good))) === 0;
    });
    assert.equal(await status('optional', {}), 200);
    assert.match(appliance.log, /"msg":"the list of revoked certificates is out of date: every client/);
    makeRevocations(list, authority, { revoked: [bad] });
    await untilAll('the good one is let in by both workers', async () => (await status('required', withOne(good))) === 200);
    assert.equal(await status('required', withOne(bad)), 0);
  });
});
