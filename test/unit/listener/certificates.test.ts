// A certificate that cannot be used is named, with what is wrong and what was expected.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CertificateSet } from '../../../balancer/listener/certificates.ts';
import { INTERMEDIATE_SUITES } from '../../../balancer/config/cipher-suites.ts';
import { silentLog } from '../../../balancer/log.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('files that are no pair of certificate and key are named in the message', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-certificates-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const one = makeCertificate(directory, { names: ['one.example'], file: 'one' });
  const other = makeCertificate(directory, { names: ['other.example'], file: 'other' });
  const junk = join(directory, 'junk.crt');
  writeFileSync(junk, 'junk');
  const set = (cert: string, key: string): CertificateSet =>
    new CertificateSet(
      { certificates: [{ cert, key }], minVersion: 'TLSv1.2', ciphers: INTERMEDIATE_SUITES, clientCertificates: null },
      'web',
      new ManualClock(),
      silentLog,
    );

  for (const [cert, key] of [
    [junk, one.key],
    [one.cert, junk],
    [one.cert, other.key],
  ] as const) {
    assert.throws(
      () => set(cert, key),
      (error: Error) =>
        error.message.startsWith(`certificate ${cert} with key ${key} cannot be used: `) && /expected a PEM/.test(error.message),
    );
  }
  assert.doesNotThrow(() => set(one.cert, one.key));
});
