// What the cluster is told of the client: what a stranger claims is gone, what a trusted peer says stays, in its order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fields } from '../../../balancer/message/fields.ts';
import { forwardedFields } from '../../../balancer/message/forwarded.ts';
import { share } from '../../../balancer/message/shared-fields.ts';
import { aRequest } from '../../support/request.ts';

function sent(fields: Fields, facts: Parameters<typeof aRequest>[0] = {}): Record<string, string> {
  const apart = forwardedFields(aRequest({ ...facts, fields: [...fields] }));
  const request = aRequest({ ...facts, fields: share([...fields]) });
  const out = forwardedFields(request);
  assert.deepEqual([...out], [...apart], 'shared or not, the same goes on');
  assert.equal(forwardedFields(request), out, 'made once of shared fields');
  assert.deepEqual([...request.fields], fields, 'which are left alone');
  const names = out.filter((_, index) => index % 2 === 0);
  assert.equal(new Set(names).size, names.length, 'every name once');
  return Object.fromEntries(names.map((name, index) => [name, out[index * 2 + 1] ?? '']));
}

const CLAIMS = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-client-cert',
  'x-real-ip',
  'forwarded',
  'x-request-id',
  'x_forwarded_for',
  'x-forwarded_host',
  'x_real_ip',
  'client-cert',
  'client-cert-chain',
  'client_cert',
  'client-cert_chain',
];

test('a stranger can claim nothing', () => {
  const out = sent(
    CLAIMS.flatMap((name) => [name, 'forged']),
    { peerAddress: '203.0.113.9', scheme: 'https', authority: 'shop.example:8443' },
  );
  assert.deepEqual(out, {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.example:8443',
    forwarded: 'for=203.0.113.9;host="shop.example:8443";proto=https',
    via: '1.1 weir',
  });
});

test('fields that claim nothing pass', () => {
  const out = sent(['x-forward', '1', 'x-real', '2', 'x_kept', '3', 'accept', '4', 'client-certificate', '5', 'cookie', '6']);
  assert.deepEqual(
    [out['x-forward'], out['x-real'], out['x_kept'], out['accept'], out['client-certificate'], out['cookie']],
    ['1', '2', '3', '4', '5', '6'],
  );
});

test('what a trusted peer says is continued, all its lines in their order', () => {
  const out = sent(
    [
      'x-forwarded-for',
      '192.0.2.1',
      'via',
      '1.0 a',
      'x-forwarded-for',
      '192.0.2.2, 192.0.2.3',
      'forwarded',
      'for=a',
      'via',
      '2 b',
      'forwarded',
      'for=b',
    ],
    { peerTrusted: true, peerAddress: '10.0.0.1', authority: 'a' },
  );
  assert.equal(out['x-forwarded-for'], '192.0.2.1, 192.0.2.2, 192.0.2.3, 10.0.0.1');
  assert.equal(out['via'], '1.0 a, 2 b, 1.1 weir');
  assert.equal(out['forwarded'], 'for=a, for=b, for=10.0.0.1;host=a;proto=http');
});

test('a trusted peer that says nothing leaves the facts of its connection', () => {
  const out = sent(['x-forwarded-proto', '', 'x-forwarded-port', '444'], { peerTrusted: true, peerAddress: '2001:db8::1', authority: 'a' });
  assert.equal(out['x-forwarded-proto'], 'http');
  assert.equal(out['x-forwarded-port'], '444');
  assert.equal(out['forwarded'], 'for="[2001:db8::1]";host=a;proto=http');
});

test('the certificate of the client is told, and nothing else is taken for it', () => {
  const clientCertificate = { subject: 'CN=a', alternativeNames: [], fingerprint: '', told: ['client-cert', ':own:'] };
  const claims = ['client-cert', ':theirs:', 'client-cert-chain', ':theirs:', 'client_cert', ':theirs:'];
  for (const peerTrusted of [true, false]) {
    const out = sent(claims, { peerTrusted, clientCertificate });
    assert.equal(out['client-cert'], ':own:');
    assert.ok(!('client-cert-chain' in out) && !('client_cert' in out));
  }
  const passed = sent(claims, { peerTrusted: true });
  assert.equal(passed['client-cert'], ':theirs:', 'a trusted peer speaks for the clients behind it');
  const silent = sent(claims, { peerTrusted: true, clientCertificate: { ...clientCertificate, told: [] } });
  assert.equal(silent['client-cert'], ':theirs:');
});
