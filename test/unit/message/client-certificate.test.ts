// Subject alternative names as node:crypto writes them become single names, whatever characters are in them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alternativeNames, byteSequence } from '../../../balancer/message/client-certificate.ts';

test('each name stands alone with its kind', () => {
  assert.deepEqual(alternativeNames(''), []);
  assert.deepEqual(
    alternativeNames('DNS:a.example, DNS:*.b.example, IP Address:192.0.2.1, URI:spiffe://example/ns/shop, email:a@b.example'),
    ['DNS:a.example', 'DNS:*.b.example', 'IP Address:192.0.2.1', 'URI:spiffe://example/ns/shop', 'email:a@b.example'],
  );
});

test('a name cannot pass for two', () => {
  assert.deepEqual(alternativeNames('DNS:"good.example, DNS:evil.example", DNS:"with \\"quotes\\""'), [
    'DNS:good.example, DNS:evil.example',
    'DNS:with "quotes"',
  ]);
});

test('bytes are told as structured fields write them', () => {
  assert.equal(byteSequence(Buffer.from([0xff, 0x00, 0x10])), ':/wAQ:');
});
