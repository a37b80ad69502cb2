// Certificates that come near their end are told in time: one event for each step, the time left as a metric, and a chain ends with its first.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CertificateNews } from '../../../balancer/controller/certificate-news.ts';
import { CertificateWatch, urgencyOf } from '../../../balancer/controller/certificate-watch.ts';
import { EventLog } from '../../../balancer/controller/events.ts';
import { hostGauges } from '../../../balancer/controller/host-gauges.ts';
import { silentLog } from '../../../balancer/log.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { loaded } from '../../support/config-text.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { busyStatus } from '../../support/statuses.ts';

const DAY_MS = 86_400_000;

interface Place {
  readonly clock: ManualClock;
  readonly watch: CertificateWatch;
  readonly served: string;
  readonly put: (...certificates: readonly TestCertificate[]) => void;
  /** Codes of what is told now. */
  readonly told: () => readonly string[];
}

function start(t: TestContext, days: number): Place & { readonly make: (days: number, ca?: TestCertificate) => TestCertificate } {
  const directory = mkdtempSync(join(tmpdir(), 'weir-certificates-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  let made = 0;
  const make = (validDays: number, ca?: TestCertificate): TestCertificate =>
    makeCertificate(directory, { names: ['localhost'], file: `made-${(made += 1)}`, days: validDays, ...(ca === undefined ? {} : { ca }) });
  const served = join(directory, 'served.crt');
  const first = make(days);
  copyFileSync(first.cert, served);
  copyFileSync(first.key, join(directory, 'served.key'));
  const tls = `tls: { certificates: [ { cert: ${served}, key: ${join(directory, 'served.key')} } ] }`;
  const config = loaded(
    `version: 1\nlisteners: { web: { bind: "127.0.0.1:8443", ${tls} } }\nclusters: { one: { endpoints: ["http://127.0.0.1:9001"] } }\n` +
      'services: { shop: { versions: { blue: { clusters: { one: {} } } } } }\nroutes: [ { service: shop } ]\n',
  );
  // Certificates are good from now on, by the clock of the machine.
  const clock = new ManualClock(0, Date.now());
  const watch = new CertificateWatch(clock, () => config);
  const [news, events] = [new CertificateNews(), new EventLog(clock, silentLog)];
  let seen = 0;
  return {
    ...{ clock, watch, served, make },
    put: (...certificates) => writeFileSync(served, certificates.map(({ pem }) => pem).join('')),
    told: () => {
      news.look(watch.used(), events);
      const fresh = events.newest(100).filter(({ sequence }) => sequence > seen);
      seen += fresh.length;
      return fresh.map(({ code }) => code).reverse();
    },
  };
}

test('14 days, 5 days and the end are told once each, and so is the new one', (t) => {
  const { clock, told, put, make } = start(t, 20);
  assert.deepEqual(told(), []);
  clock.advance(7 * DAY_MS);
  assert.deepEqual(told(), ['security.certificate_expires_soon']);
  clock.advance(DAY_MS);
  assert.deepEqual(told(), []);
  clock.advance(8 * DAY_MS);
  assert.deepEqual(told(), ['security.certificate_expires']);
  clock.advance(5 * DAY_MS);
  assert.deepEqual(told(), ['security.certificate_expired']);
  put(make(90));
  clock.advance(2000);
  assert.deepEqual(told(), ['security.certificate_renewed']);
  assert.deepEqual(told(), []);
});

test('a chain ends with the first of it', (t) => {
  const { clock, watch, put, make } = start(t, 90);
  const authority = make(3);
  put(make(80, authority), authority);
  clock.advance(2000);
  const [used] = watch.used();
  assert.ok(used !== undefined && used.leftMs > 2 * DAY_MS && used.leftMs <= 3 * DAY_MS);
});

test('the time left of each is a metric, by use and file', (t) => {
  const { watch, served } = start(t, 30);
  const [part = []] = hostGauges(busyStatus(), new Map(), watch.used());
  const [gauge] = part.filter(({ name }) => name === 'weir_certificate_remaining_seconds');
  assert.deepEqual(gauge?.labels, ['listener web', served]);
  assert.ok(gauge.value > 29.9 * 86_400 && gauge.value <= 30 * 86_400);
});

test('how near an end is depends on its bounds alone', () => {
  assert.deepEqual(
    [14.1, 14, 5.1, 5, 0.1, 0, -1].map((days) => urgencyOf(days * DAY_MS)),
    [null, 'expires_soon', 'expires_soon', 'expires', 'expires', 'expired', 'expired'],
  );
});
