// Lines of the access log: formats, fields, samples, and what is never written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFormat, parseRedactedPath, parseSyslog } from '../../../balancer/config/log-format.ts';
import type { AccessLogConfig } from '../../../balancer/config/telemetry-config.ts';
import { AccessLog, type AccessLogEntry } from '../../../balancer/telemetry/access-log.ts';
import { lineMaker } from '../../../balancer/telemetry/log-line.ts';
import { logConfig } from '../../support/access-log.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const ENTRY: AccessLogEntry = {
  ...{ at: '2026-11-21T10:00:00.000Z', requestId: 'r-1', listener: 'web', client: '192.0.2.77', method: 'GET', host: 'shop.example' },
  ...{ path: '/reset/abc123/confirm', status: 200, bytesIn: 0, bytesOut: 12, durationMs: 1.5, route: 'all', service: 'shop' },
  ...{ version: 'blue', cluster: 'one', endpoint: '10.0.0.1:80', attempts: 1, error: '', detail: '', consumer: 'acme' },
};

const line = (other: Partial<AccessLogConfig>, fields: readonly string[] = [], entry = ENTRY): string =>
  lineMaker(logConfig(other))(entry, [...fields]);

function format(text: string) {
  const parts = parseFormat(text);
  assert.ok(typeof parts !== 'string');
  return parts;
}

test('a format puts values in the place of their names, and - for what is empty', () => {
  const parts = format('$client - $consumer [$at] "$method $path" $status "$field{User-Agent}" $error $$5');
  assert.equal(
    line({ format: parts }, ['user-agent', 'kettle/1']),
    '192.0.2.77 - acme [2026-11-21T10:00:00.000Z] "GET /reset/abc123/confirm" 200 "kettle/1" - $5\n',
  );
});

test('nothing a client sends ends a line, a quoted value, or steers a terminal', () => {
  const evil = 'a"\n\u001b[2J\\\u0085\u2028';
  assert.equal(line({ format: format('"$field{x}"') }, ['x', evil]), '"a\\x22\\x0a\\x1b[2J\\x5c\\x85\\x2028"\n');
  assert.equal(line({ fields: ['x'] }, ['x', evil]).split('\n').length, 2);
});

test('a line is the JSON of its entry, whatever stands in it', () => {
  const random = seededRandom(11);
  const text = (): string => String.fromCharCode(...Array.from({ length: 12 }, () => Math.floor(random() ** 3 * 0xffff)));
  for (let count = 0; count < 2000; count += 1) {
    const asked = {
      requestId: text(),
      method: text(),
      host: text(),
      path: `/${text()}`,
      endpoint: text(),
      detail: count % 2 === 0 ? '' : text(),
    };
    const more = count % 3 === 0 ? { result: 503, traceId: 'ab'.repeat(16), authenticatedBy: 'key', alpn: ['h2', text()] } : {};
    const { consumer, ...rest } = ENTRY;
    const entry: AccessLogEntry = { ...rest, ...asked, ...more, ...(count % 5 === 0 ? { consumer: `${consumer ?? ''}${text()}` } : {}) };
    assert.deepEqual(JSON.parse(line({}, [], entry)), JSON.parse(JSON.stringify(entry)));
  }
});

test('fields of the request stand under a name of their own, cut where they are long', () => {
  const { fields } = JSON.parse(line({ fields: ['user-agent', 'absent'] }, ['user-agent', 'k'.repeat(2000)])) as {
    fields: Record<string, string>;
  };
  assert.deepEqual([fields['user-agent']?.length, Object.keys(fields)], [512, ['user-agent']]);
});

test('what is to be redacted is in no line', () => {
  const rule = parseRedactedPath('/reset/*');
  assert.ok(rule !== null);
  const redact = { client: 'truncate', consumer: 'omit', paths: [rule] } as const;
  const told = JSON.parse(line({ redact })) as AccessLogEntry;
  assert.deepEqual([told.client, told.path, told.consumer], ['192.0.2.0', '/reset/*/confirm', undefined]);
  const client = (address: string): string => (JSON.parse(line({ redact }, [], { ...ENTRY, client: address })) as AccessLogEntry).client;
  assert.deepEqual(['2001:db8:1:2:3::4', '2001:db8::1', '::1'].map(client), ['2001:db8:1::', '2001:db8:0::', '0:0:0::']);
  assert.equal((JSON.parse(line({ redact: { ...redact, client: 'omit' } })) as AccessLogEntry).client, '');
  const other = JSON.parse(line({ redact }, [], { ...ENTRY, path: '/resets/abc' })) as AccessLogEntry;
  assert.equal(other.path, '/resets/abc');
});

for (const [text, what] of [
  ['$nonsense', /there is no value \$nonsense; expected one of at, /],
  ['100 $', /a \$ stands for itself as \$\$/],
  ['$field{authorization}', /carries a secret/],
  ['$field{a b}', /no name of a header field/],
] as const)
  test(`the format ${text} is refused with what was expected`, () => assert.match(JSON.stringify(parseFormat(text)), what));

test('places of syslog have a transport, and the port that is usual for it', () => {
  assert.deepEqual(parseSyslog('syslog+udp://logs.internal'), { transport: 'udp', host: 'logs.internal', port: 514 });
  assert.deepEqual(parseSyslog('syslog+tcp://[::1]:1601'), { transport: 'tcp', host: '::1', port: 1601 });
  assert.deepEqual(['syslog://x', 'syslog+udp://x:0', 'syslog+udp://x:99999', 'udp://x'].map(parseSyslog), [null, null, null, null]);
});

test('of what went well a sample has lines, of what failed all, and of a route no more than its part', () => {
  const log = new AccessLog(logConfig({ sample: 0.1 }), { write: () => true, close: () => Promise.resolve(0) }, seededRandom(5));
  const taken = (notable: boolean, share: number): number =>
    Array.from({ length: 10_000 }, () => log.takes(notable, share)).filter(Boolean).length;
  // Five standard deviations of a binomial count are 150, and 106 for the half.
  assert.ok(Math.abs(taken(false, 1) - 1000) < 150);
  assert.ok(Math.abs(taken(false, 0.5) - 500) < 106);
  assert.deepEqual([taken(true, 1), taken(true, 0.5), taken(true, 0), taken(false, 0)], [10_000, 10_000, 0, 0]);
});
