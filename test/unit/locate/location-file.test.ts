// A database of locations on disk is read again when it has changed, and one that cannot be used changes nothing.
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LocationFile } from '../../../balancer/locate/location-file.ts';
import { locationDatabase } from '../../support/location-database.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const ADDRESS = '203.0.113.9';
const inCountry = (country: string): Buffer => locationDatabase({ '203.0.113.0/24': { country: { iso_code: country } } });

async function openFile(t: TestContext, bytes: Buffer) {
  const directory = await mkdtemp(join(tmpdir(), 'weir-locations-'));
  t.after(() => rm(directory, { recursive: true }));
  const database = join(directory, 'locations.mmdb');
  await writeFile(database, bytes);
  const clock = new ManualClock();
  const warnings: string[] = [];
  const locations = { database, countries: { DE: 'eu', US: 'us' }, subdivisions: {}, continents: {} };
  const open = () => LocationFile.open(locations, { nowMs: () => clock.nowMs(), warn: (problem) => warnings.push(problem) });
  /** A file of the same name, as a tool that updates databases puts it there. */
  const replace = async (next: Buffer): Promise<void> => {
    await writeFile(`${database}.new`, next);
    await rename(`${database}.new`, database);
  };
  return { database, clock, warnings, open, replace };
}

test('a changed file is used by those who ask a second later', async (t) => {
  const { clock, open, replace, warnings } = await openFile(t, inCountry('DE'));
  const file = await open();
  assert.equal(file.find(ADDRESS), 'eu');
  await replace(inCountry('US'));
  assert.equal(file.find(ADDRESS), 'eu', 'nobody has looked yet');
  clock.advance(1000);
  assert.equal(file.find(ADDRESS), 'eu', 'who asks does not wait');
  await file.look();
  assert.equal(file.find(ADDRESS), 'us');
  assert.deepEqual(warnings, []);
});

test('a changed file that is no database is told, and what was read before is kept', async (t) => {
  const { database, open, replace, warnings } = await openFile(t, inCountry('DE'));
  const file = await open();
  await replace(Buffer.from('half a down-load'));
  await file.look();
  await rm(database);
  await file.look();
  assert.equal(file.find(ADDRESS), 'eu');
  assert.match(
    warnings[0] ?? '',
    /locations\.mmdb is no database of locations; expected the MMDB format of MaxMind.*; what was read before is kept$/,
  );
  assert.match(warnings[1] ?? '', /ENOENT.*; what was read before is kept$/);
  assert.equal(warnings.length, 2);
});

test('one that cannot be used at first is an error that teaches', async (t) => {
  const { database, open } = await openFile(t, Buffer.from('nothing of the kind'));
  await assert.rejects(open, {
    message: `${database} is no database of locations; expected the MMDB format of MaxMind, such as GeoLite2-Country.mmdb`,
  });
});
