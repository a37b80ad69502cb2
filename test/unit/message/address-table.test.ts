// Which block an address is in: the longest that holds it, in both families, however either is written.
import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { AddressTable, blockName } from '../../../balancer/message/address-table.ts';

describe('the block of an address', () => {
  test('is the longest that holds it, whatever the order of the file', () => {
    const blocks = { '10.0.0.0/8': 'wide', '10.20.0.0/16': 'narrow', '10.20.30.40': 'one', '0.0.0.0/0': 'rest' };
    for (const entries of [Object.entries(blocks), Object.entries(blocks).reverse()]) {
      const table = new AddressTable(Object.fromEntries(entries));
      assert.deepEqual(
        ['10.1.2.3', '10.20.255.255', '10.20.30.40', '10.21.0.0', '192.0.2.1'].map((address) => table.find(address)),
        ['wide', 'narrow', 'one', 'wide', 'rest'],
      );
    }
  });

  test('is none outside all of them, in the other family, and for what is no address', () => {
    const table = new AddressTable({ '10.0.0.0/8': 'four', '2001:db8::/32': 'six' });
    assert.deepEqual(
      ['11.0.0.1', '2001:db9::1', 'a00::', '::', 'shop.example.com', '', '10.0.0.256'].map((address) => table.find(address)),
      [null, null, null, null, null, null, null],
    );
    assert.equal(new AddressTable({ '::/0': 'six' }).find('10.0.0.1'), null);
  });

  test('takes IPv6 in every way of writing it', () => {
    const table = new AddressTable({ '2001:db8::/32': 'wide', '2001:DB8:0:7::/64': 'narrow', '::1': 'loop', 'fe80::/10': 'link' });
    assert.deepEqual(
      ['2001:db8::', '2001:0db8:0:0007:0:0:0:1', '2001:db8:0:7::192.0.2.1', '::1', '0:0:0:0:0:0:0:1', 'fe80::1%eth0'].map((address) =>
        table.find(address),
      ),
      ['wide', 'narrow', 'narrow', 'loop', 'loop', 'link'],
    );
  });

  test('takes IPv4 within IPv6 for IPv4, in addresses and in blocks', () => {
    const table = new AddressTable({ '10.0.0.0/8': 'plain', '::ffff:192.0.2.0/120': 'mapped' });
    assert.deepEqual(
      ['::ffff:10.1.2.3', '::ffff:a01:203', '192.0.2.9', '::ffff:192.0.2.9', '192.0.3.9'].map((address) => table.find(address)),
      ['plain', 'plain', 'mapped', 'mapped', null],
    );
  });

  test('is what a list of single blocks says', () => {
    const v4 = fastCheck.tuple(fastCheck.ipV4(), fastCheck.integer({ min: 0, max: 32 }));
    const v6 = fastCheck.tuple(fastCheck.ipV6(), fastCheck.integer({ min: 0, max: 128 }));
    const address = fastCheck.oneof(fastCheck.ipV4(), fastCheck.ipV6());
    fastCheck.assert(
      fastCheck.property(fastCheck.array(fastCheck.oneof(v4, v6), { maxLength: 8 }), address, (blocks, asked) => {
        // A mapped address is in blocks of the other family too, as the list has it.
        const same = blocks.filter(([block]) => isIP(block) === isIP(asked) && !/ffff/i.test(block + asked));
        const written = Object.fromEntries(same.map(([block, prefix]) => [`${block}/${prefix}`, `${prefix}`]));
        const holding = same.filter(([block, prefix]) => {
          const list = new BlockList();
          list.addSubnet(block, prefix, isIP(block) === 6 ? 'ipv6' : 'ipv4');
          return list.check(asked, isIP(asked) === 6 ? 'ipv6' : 'ipv4');
        });
        const longest = holding.length === 0 ? null : String(Math.max(...holding.map(([, prefix]) => prefix)));
        assert.equal(new AddressTable(written).find(asked), longest);
      }),
      { seed: 11, numRuns: 500 },
    );
  });
});

test('blocks that hold the same addresses have the same name, and no others', () => {
  assert.equal(blockName('10.1.2.3/8'), blockName('10.0.0.0/8'));
  assert.equal(blockName('::ffff:10.0.0.0/104'), blockName('10.0.0.0/8'));
  assert.equal(blockName('2001:db8::/32'), blockName('2001:0DB8:1::/32'));
  assert.equal(blockName('192.0.2.1'), blockName('192.0.2.1/32'));
  assert.equal(blockName('10.0.0.0/9'), blockName('10.127.0.0/9'));
  const names = ['10.0.0.0/8', '10.0.0.0/9', '10.128.0.0/9', 'a00::/8', '0.0.0.0/0', '::/0'].map(blockName);
  assert.equal(new Set(names).size, names.length);
});
