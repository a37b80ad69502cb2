// A real appliance steers clients by their own regions: by the address that a trusted proxy says, and not by one that anybody says.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExplainView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { locationDatabase } from '../support/location-database.ts';
import { named, startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const IN_THE_US = '203.0.113.7';
const SOMEWHERE = '192.0.2.9';
const IN_MEXICO = '198.51.100.4';

test('clients go to the place that is near to them', async (t) => {
  const here = await startOrigin(t, named('here'));
  const there = await startOrigin(t, named('there'));
  const directory = await mkdtemp(join(tmpdir(), 'weir-locations-'));
  t.after(() => rm(directory, { recursive: true }));
  const database = join(directory, 'locations.mmdb');
  await writeFile(database, locationDatabase({ '198.51.100.0/24': { country: { iso_code: 'MX' } } }));
  const appliance = await startAppliance(t, { yaml: config(here.endpoint, there.endpoint, database), untilProbed: true });
  const answerTo = async (client: string, listener = 'web'): Promise<string> =>
    (await appliance.get(`${appliance.url(listener)}/`, { headers: { 'x-forwarded-for': client } })).body;

  await t.test('by what a trusted peer says of them, and by the longest block', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      assert.equal(await answerTo(IN_THE_US), 'there');
      assert.equal(await answerTo('2001:db8::7'), 'there');
      assert.equal(await answerTo('203.0.113.200'), 'here');
      assert.equal(await answerTo(SOMEWHERE), 'here');
    }
    assert.equal(await answerTo(IN_THE_US, 'open'), 'here', 'a peer nobody trusts is the client itself');
  });

  await t.test('by the header of the PROXY protocol', async () => {
    assert.match(await proxied(appliance.port('proxied'), `PROXY TCP4 ${IN_THE_US} 127.0.0.1 4000 80\r\n`), /\r\n\r\nthere$/);
    assert.match(await proxied(appliance.port('proxied'), `PROXY TCP4 ${SOMEWHERE} 127.0.0.1 4000 80\r\n`), /\r\n\r\nhere$/);
  });

  await t.test('by the country that the database says, where no block holds them', async () => {
    assert.equal(await answerTo(IN_MEXICO), 'there');
    assert.equal(await answerTo('198.51.101.4'), 'here');
    assert.equal((await explain(appliance, IN_MEXICO)).service?.clientRegion, 'us');
  });

  await t.test('and only those from where a route lets them call get on', async () => {
    const statusFor = async (client: string): Promise<number> =>
      (await appliance.get(`${appliance.url('web')}/mexico`, { headers: { 'x-forwarded-for': client } })).status;
    assert.deepEqual([await statusFor(IN_MEXICO), await statusFor(SOMEWHERE), await statusFor(IN_THE_US)], [200, 403, 403]);
  });

  await t.test('weir explain names the region, and goes by its shares', async () => {
    const near = (await explain(appliance, IN_THE_US)).service;
    assert.deepEqual([near?.clientRegion, near?.candidates[0]?.cluster, near?.candidates[0]?.probability], ['us', 'there', 1]);
    const far = (await explain(appliance, SOMEWHERE)).service;
    assert.deepEqual([far?.clientRegion, far?.candidates[0]?.cluster, far?.candidates[0]?.probability], ['', 'here', 1]);
    const { stdout } = await appliance.weir('explain', `${appliance.url('open')}/`, '--client', IN_THE_US);
    assert.match(stdout, /^client: {3}in region us: measured from there$/m);
  });

  await t.test('weir describe shows what the clients of each region get', async () => {
    const { stdout, stderr } = await appliance.weir('describe', 'service', 'shop');
    assert.match(stdout, /^regions:\n +REGION +ASKS +VERSION +CLUSTER +DESIRED SHARE +EFFECTIVE SHARE +REASONS\n/m, stderr);
    assert.match(stdout, /^ +- +[\d.]+ +blue +here +1 +1 +intent$/m);
    assert.match(stdout, /^ +us +[\d.]+ +blue +there +1 +1 +intent$/m);
  });

  await t.test('what each region asks for is counted', async () => {
    const counted = async (): Promise<boolean> =>
      (await appliance.metricSum('weir_client_region_requests_total', { service: 'shop', region: 'us' })) === 13;
    await until(counted, 'thirteen requests from the us are counted', 10_000);
  });

  await t.test('a new database is found and used', async () => {
    await writeFile(database, locationDatabase({ '198.51.100.0/24': { country: { iso_code: 'DE' } } }));
    await until(async () => (await answerTo(IN_MEXICO)) === 'here', 'the new database is in use', 10_000);
  });

  await t.test('a place that is closed loses its clients to the next one, until it is open again', async () => {
    const { code, stderr } = await appliance.weir('maintenance', 'there', '--yes');
    assert.equal(code, 0, stderr);
    assert.equal(await answerTo(IN_THE_US), 'here');
    assert.equal((await appliance.weir('restore', 'there', '--yes')).code, 0);
    assert.equal(await answerTo(IN_THE_US), 'there');
  });
});

async function explain(appliance: Appliance, client: string): Promise<ExplainView> {
  const { code, stdout, stderr } = await appliance.weir('explain', `${appliance.url('open')}/`, '--client', client, '-o', 'json');
  assert.equal(code, 0, stderr);
  const { items } = JSON.parse(stdout) as { readonly items: readonly ExplainView[] };
  assert.ok(items[0] !== undefined);
  return items[0];
}

/** All that comes back for a request behind this header. */
function proxied(port: number, header: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject).on('end', () => resolve(answer));
    socket.write(`${header}GET / HTTP/1.1\r\nhost: shop.example.com\r\nconnection: close\r\n\r\n`);
  });
}

function config(here: string, there: string, database: string): string {
  const cluster = (endpoint: string, region: string): string =>
    `{ region: ${region}, endpoints: ["${endpoint}"], health: { http: { path: /healthz }, interval: 200ms, timeout: 150ms }, failback: { mode: auto } }`;
  return `
host: { name: test-edge, region: eu }
listeners:
  web: { bind: "127.0.0.1:0", trustedPeers: [127.0.0.1] }
  open: { bind: "127.0.0.1:0" }
  proxied: { bind: "127.0.0.1:0", proxyProtocol: { from: [127.0.0.1] } }
regions: { eu: { us: 90 } }
clientRegions: { 203.0.113.0/24: us, 203.0.113.128/25: eu, "2001:db8::/32": us }
clientLocations: { database: ${database}, countries: { MX: us, DE: eu } }
clusters:
  here: ${cluster(here, 'eu')}
  there: ${cluster(there, 'us')}
services:
  shop: { versions: { blue: { clusters: { here: {}, there: {} } } }, steer: { policy: nearest } }
routes:
  - { match: { path: /mexico }, service: shop, filters: [{ placeAccess: { rules: [{ allow: [MX] }] } }] }
  - { service: shop }
`;
}
