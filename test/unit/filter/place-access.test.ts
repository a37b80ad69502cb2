// From where clients may call: the first rule that names their place decides, and who cannot be placed is asked for in the open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeAccess } from '../../../balancer/filter/place-access.ts';
import { LocationDatabase } from '../../../balancer/locate/location-database.ts';
import { aFilterEnvironment } from '../../support/filter-environment.ts';
import { problemsWithParts, optionsWithParts } from '../../support/filter-options.ts';
import { locationDatabase } from '../../support/location-database.ts';
import { aRequest } from '../../support/request.ts';

const [BERLIN, LYON, FRESNO, BOSTON, ATHENS_OR_SO, HOME] = [
  '203.0.113.9',
  '192.0.2.9',
  '198.51.100.9',
  '198.51.100.200',
  '2001:db8::1',
  '10.0.0.1',
];
const DATABASE = new LocationDatabase(
  locationDatabase({
    '203.0.113.0/24': { continent: { code: 'EU' }, country: { iso_code: 'DE' } },
    '192.0.2.0/24': { continent: { code: 'EU' }, country: { iso_code: 'FR' } },
    '198.51.100.0/25': { continent: { code: 'NA' }, country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'CA' }] },
    '198.51.100.128/25': { continent: { code: 'NA' }, country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'MA' }] },
    '2001:db8::/32': { continent: { code: 'EU' } },
  }),
  { countries: {}, subdivisions: {}, continents: {} },
);
/** Any file that is there: nothing reads it here. */
const LOCATED = `clientLocations: { database: ${import.meta.filename} }`;

async function whoMayCall(options: string, addresses: readonly string[]): Promise<readonly string[]> {
  const environment = aFilterEnvironment({ placeOf: (address) => DATABASE.place(address) });
  const filter = placeAccess.create(optionsWithParts('placeAccess', options, LOCATED), environment);
  const allowed: string[] = [];
  for (const clientAddress of addresses) {
    const verdict = await filter.onRequest?.(aRequest({ clientAddress }));
    if (verdict === undefined) allowed.push(clientAddress);
    else assert.ok('code' in verdict && verdict.code === 'address_denied', JSON.stringify(verdict));
  }
  return allowed;
}

const ALL = [BERLIN, LYON, FRESNO, BOSTON, ATHENS_OR_SO, HOME];

test('countries that are named may call, and nobody else', async () => {
  assert.deepEqual(await whoMayCall('{ rules: [{ allow: [DE, US] }] }', ALL), [BERLIN, FRESNO, BOSTON]);
});

test('the first rule decides: a part of a country, or a country of a continent, can be left out', async () => {
  assert.deepEqual(await whoMayCall("{ rules: [{ deny: [US-CA, FR] }, { allow: ['continent:EU', US] }] }", ALL), [
    BERLIN,
    BOSTON,
    ATHENS_OR_SO,
  ]);
});

test('otherwise: allow turns the rules into refusals; who cannot be placed is refused all the same', async () => {
  assert.deepEqual(await whoMayCall('{ rules: [{ deny: [FR] }], otherwise: allow }', ALL), [BERLIN, FRESNO, BOSTON, ATHENS_OR_SO]);
});

test('unknown: allow lets on who cannot be placed, such as private addresses', async () => {
  assert.deepEqual(await whoMayCall('{ rules: [{ allow: [DE] }], unknown: allow }', ALL), [BERLIN, HOME]);
});

test('places are written as the standards write them, and the file says where they come from', () => {
  const problems = (options: string, parts: string) => problemsWithParts('placeAccess', options, parts).join('; ');
  assert.match(
    problems('{ rules: [{ allow: [de] }] }', LOCATED),
    /a country \(DE\), a part of one \(US-CA\) or a continent \(continent:EU\)/,
  );
  assert.match(problems('{ rules: [{ allow: [DE], deny: [FR] }] }', LOCATED), /rules\[0\]/);
  assert.match(problems('{ rules: [{ allow: [DE] }] }', ''), /expected `clientLocations: \{ database: FILE \}`/);
});
