// Which addresses may call: the first block that holds the address decides.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressAccess } from '../../../balancer/filter/address-access.ts';
import { aFilterEnvironment } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { aRequest } from '../../support/request.ts';

async function isAllowed(options: string, clientAddress: string): Promise<boolean> {
  const filter = addressAccess.create(filterOptions('addressAccess', options), aFilterEnvironment());
  const verdict = await filter.onRequest?.(aRequest({ clientAddress }));
  if (verdict === undefined) return true;
  assert.ok('code' in verdict && verdict.code === 'address_denied');
  return false;
}

test('the first block decides, however long those behind it are; no block: refused', async () => {
  const options = '{ rules: [{ deny: 10.0.13.0/24 }, { allow: 10.0.0.0/8 }, { deny: 10.1.0.0/16 }, { allow: "2001:db8::/32" }] }';
  assert.equal(await isAllowed(options, '10.0.13.7'), false);
  assert.equal(await isAllowed(options, '10.1.0.1'), true);
  assert.equal(await isAllowed(options, '::ffff:10.1.0.1'), true);
  assert.equal(await isAllowed(options, '2001:db8::1'), true);
  assert.equal(await isAllowed(options, '192.0.2.1'), false);
  assert.equal(await isAllowed(options, 'not an address'), false);
});

test('otherwise: allow turns the list into one of refusals', async () => {
  const options = '{ rules: [{ deny: 192.0.2.0/24 }], otherwise: allow }';
  assert.deepEqual([await isAllowed(options, '192.0.2.1'), await isAllowed(options, '198.51.100.1')], [false, true]);
});

test('a rule names one block', () => {
  assert.match(filterProblems('addressAccess', '{ rules: [{ allow: 10.0.0.0/8, deny: 10.0.0.0/8 }] }').join(), /rules\[0\]/);
  assert.match(filterProblems('addressAccess', '{ rules: [{ allow: 10.0.0.0/33 }] }').join(), /CIDR block/);
});
