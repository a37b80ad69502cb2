// The small facts of a request: its host, its client, its id.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAuthority } from '../../../balancer/message/authority.ts';
import { AddressSet, clientAddress, plainAddress } from '../../../balancer/message/client-address.ts';
import { createRequestIds, isAcceptableRequestId } from '../../../balancer/message/request-id.ts';

describe('the host of an authority', () => {
  for (const [authority, host] of [
    ['Shop.Example', 'shop.example'],
    ['shop.example:8443', 'shop.example'],
    ['shop.example.', 'shop.example'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['my_service', 'my_service'],
  ] as const) {
    it(`of ${authority} is ${host}`, () => assert.equal(readAuthority(authority)?.host, host));
  }
  it('is written in one way for the origin, with the port that was named', () => {
    assert.equal(readAuthority('Shop.Example.:0080')?.text, 'shop.example:80');
    assert.equal(readAuthority('[2001:DB8::1]')?.text, '[2001:db8::1]');
  });
  for (const authority of [
    '',
    ':80',
    'a:',
    'a:99999',
    'a:b',
    'user@a',
    'a b',
    'a/b',
    'a,b',
    '[::1',
    '[::g]',
    '[:::::]',
    '::1',
    '-a',
    'a\u00e9',
    'a\r\nb',
    '.',
  ]) {
    it(`of ${JSON.stringify(authority)} is none`, () => assert.equal(readAuthority(authority), null));
  }
});

describe('the address of the client', () => {
  const trusted = new AddressSet(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
  for (const [what, peer, fields, client] of [
    ['the peer when it says nothing', '10.0.0.1', [], '10.0.0.1'],
    ['the first from the right that is not trusted', '10.0.0.1', ['6.6.6.6, 198.51.100.1, 10.0.0.2'], '198.51.100.1'],
    ['found over several lines', '10.0.0.1', ['198.51.100.1', '10.0.0.2'], '198.51.100.1'],
    ['the leftmost when all are trusted', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
    ['the last trusted one before what is no address', '10.0.0.1', ['198.51.100.1, unknown, 10.0.0.2'], '10.0.0.2'],
    ['a stranger itself, whatever it says', '198.51.100.9', ['10.0.0.2'], '198.51.100.9'],
    ['read with a port', '10.0.0.1', ['198.51.100.1:4711'], '198.51.100.1'],
    ['read in brackets', '2001:db8::1', ['[2001:db9::5]:443'], '2001:db9::5'],
    ['plain where IPv6 wraps IPv4', '10.0.0.1', ['::ffff:198.51.100.1'], '198.51.100.1'],
    ['walked past a single trusted address', '192.0.2.7', ['198.51.100.1'], '198.51.100.1'],
  ] as const) {
    it(`is ${what}`, () => assert.equal(clientAddress(peer, fields, trusted), client));
  }

  it('is trusted by nobody where no block is', () => {
    assert.equal(new AddressSet([]).has('10.0.0.1'), false);
    assert.equal(trusted.has('no address'), false);
  });

  it('of a dual-stack socket is that of the IPv4 peer', () => {
    assert.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1');
    assert.equal(plainAddress('::1'), '::1');
  });
});

describe('a request id', () => {
  it('is never the same', () => {
    const next = createRequestIds('0123');
    assert.deepEqual([next(), next()], ['0123-1', '0123-2']);
    assert.notEqual(createRequestIds()(), createRequestIds()());
  });

  it('of its own making would be accepted by another weir', () => assert.ok(isAcceptableRequestId(createRequestIds()())));

  for (const id of ['', 'a b', 'a"b', 'a\\b', 'a\nb', '{}', 'a'.repeat(129), '\u00e9']) {
    it(`is not taken over when it is ${JSON.stringify(id.slice(0, 20))}`, () => assert.equal(isAcceptableRequestId(id), false));
  }
});
