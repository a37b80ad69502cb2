// Where an address is, by a database in the format that MaxMind delivers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocationDatabase } from '../../../balancer/locate/location-database.ts';
import { locationDatabase } from '../../support/location-database.ts';

const CALIFORNIA = { continent: { code: 'NA' }, country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'CA' }] };
const BYTES = locationDatabase({
  '203.0.113.0/24': { continent: { code: 'EU' }, country: { iso_code: 'DE' } },
  '198.51.100.0/24': CALIFORNIA,
  '198.51.100.128/25': { continent: { code: 'NA' }, country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'NY' }] },
  '192.0.2.0/24': { continent: { code: 'NA' }, country: { iso_code: 'MX' } },
  '2001:db8::/32': CALIFORNIA,
  '2001:db9::/32': { registered_country: { iso_code: 'FR' } },
});
const NOWHERE = { countries: {}, subdivisions: {}, continents: {} };

const database = (regions: Partial<typeof NOWHERE>) => new LocationDatabase(BYTES, { ...NOWHERE, ...regions });

test('an address is in the region of its country', () => {
  const countries = database({ countries: { DE: 'eu', US: 'us' } });
  assert.equal(countries.find('203.0.113.9'), 'eu');
  assert.equal(countries.find('198.51.100.9'), 'us');
  assert.equal(countries.find('2001:db8::1'), 'us');
});

test('a part of a country counts before the country, and that before its continent', () => {
  const regions = { subdivisions: { 'US-CA': 'us-west' }, countries: { US: 'us-east' }, continents: { NA: 'americas', EU: 'eu' } };
  const nested = database(regions);
  assert.equal(nested.find('198.51.100.9'), 'us-west');
  assert.equal(nested.find('198.51.100.200'), 'us-east');
  assert.equal(nested.find('192.0.2.1'), 'americas');
  assert.equal(nested.find('203.0.113.9'), 'eu');
});

test('what the database does not know, or the config names no region for, is nowhere', () => {
  const some = database({ countries: { DE: 'eu' } });
  for (const address of ['10.0.0.1', '198.51.100.9', '2001:db9::1', '::1', 'unix', '']) assert.equal(some.find(address), null, address);
});

test('the same address is the same again, and more addresses than are remembered are found all the same', () => {
  const some = database({ countries: { DE: 'eu', US: 'us' } });
  for (let turn = 0; turn < 2; turn += 1)
    for (let host = 0; host < 10_000; host += 1) {
      const [first, last] = [host % 2 === 0 ? '203.0.113' : '2001:db8:', host % 200];
      assert.equal(some.find(host % 2 === 0 ? `${first}.${last}` : `${first}:${host.toString(16)}`), host % 2 === 0 ? 'eu' : 'us');
    }
});

test('bytes that are no such database are refused', () => {
  assert.throws(() => new LocationDatabase(Buffer.from('country,region\nDE,eu\n'), NOWHERE));
});
