// Lists of revoked certificates: until when they hold is read as OpenSSL reads it, and what is no list is refused with words.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { INTERMEDIATE_SUITES } from '../../../balancer/config/cipher-suites.ts';
import { CertificateSet } from '../../../balancer/listener/certificates.ts';
import { parseRevocations } from '../../../balancer/listener/revocations.ts';
import { silentLog } from '../../../balancer/log.ts';
import { makeCertificate, makeRevocations } from '../../support/certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('lists of revoked certificates', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-revoked-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authority = makeCertificate(directory, { names: ['authority.example'] });
  const revoked = [makeCertificate(directory, { names: ['revoked.example'], ca: authority })];
  const file = join(directory, 'revoked.pem');
  const made = (nextUpdate?: Date): string => {
    makeRevocations(file, authority, { revoked, ...(nextUpdate === undefined ? {} : { nextUpdate }) });
    return readFileSync(file, 'latin1');
  };

  await t.test('hold until the time that OpenSSL tells, in this century and far in the next part of it', () => {
    for (const nextUpdate of [new Date('2026-11-25T20:00:01Z'), new Date('2031-02-28T23:59:59Z'), new Date('2049-12-31T12:00:00Z')]) {
      const { untilMs, lists } = parseRevocations(made(nextUpdate));
      const told = execFileSync('openssl', ['crl', '-in', file, '-noout', '-nextupdate'], { encoding: 'latin1' });
      assert.equal(untilMs, Date.parse(told.replace('nextUpdate=', '')));
      assert.equal(untilMs, nextUpdate.getTime());
      assert.equal(lists.length, 1);
    }
  });

  await t.test('hold together until the first of them does not', () => {
    const [soon, late] = [new Date('2027-01-01T00:00:00Z'), new Date('2028-01-01T00:00:00Z')];
    const both = parseRevocations(`# two\n${made(late)}\n${made(soon)}`);
    assert.deepEqual([both.lists.length, both.untilMs], [2, soon.getTime()]);
  });

  await t.test('that are none are refused, wherever they end', () => {
    assert.throws(() => parseRevocations(authority.pem), /no revocation list can be read; expected a PEM file/);
    const der = Buffer.from(made().replaceAll(/-----.*-----/g, ''), 'base64');
    const pem = (bytes: Buffer): string => `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----\n`;
    assert.doesNotThrow(() => parseRevocations(pem(der)));
    for (let length = 1; length < der.length; length += 1)
      assert.throws(() => parseRevocations(pem(der.subarray(0, length))), /the revocation list is broken/);
    for (let at = 0; at < 40; at += 1) {
      const changed = Buffer.from(der);
      changed[at] = 0xff;
      try {
        parseRevocations(pem(changed));
      } catch (error) {
        assert.match(String(error), /the revocation list is broken/);
      }
    }
  });

  await t.test('name their file when they cannot be used, and are out of date from their time on', () => {
    const clock = new ManualClock();
    const set = (): CertificateSet => {
      const clientCertificates = { mode: 'required', ca: authority.cert, crl: file, forward: 'none' } as const;
      return new CertificateSet(
        { certificates: [authority], minVersion: 'TLSv1.2', ciphers: INTERMEDIATE_SUITES, clientCertificates },
        'web',
        clock,
        silentLog,
      );
    };
    made(new Date(clock.wallMs() + 5_000));
    const certificates = set();
    assert.equal(certificates.revocationsOutdated, false);
    clock.advance(6_000);
    assert.equal(certificates.revocationsOutdated, true);
    writeFileSync(file, 'junk');
    assert.throws(set, (error: Error) =>
      error.message.startsWith(`revoked client certificates ${file} cannot be used: no revocation list`),
    );
  });
});
