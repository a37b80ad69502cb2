// What of a config file is the host's own, and what the hosts of a fleet share.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filePartsOf, fleetFingerprint } from '../../../balancer/config/file-parts.ts';

const HOST = `version: 1
# this host
host: { name: edge-1 }
state:
  dir: /var/lib/weir

  # beside it
  redis: { url: "redis://127.0.0.1:6379", keyFile: keys }
listeners:
  web: { bind: "0.0.0.0:8080" }
`;
const FLEET = `# where requests go
clusters:
  one:
    endpoints: ["http://10.0.0.1:80"]

"services":
  shop: { versions: { blue: { clusters: { one: {} } } } }
routes:
  - { name: shop, service: shop }`;

describe('the parts of a file', () => {
  test('are told apart wherever they stand, comments with what they stand above', () => {
    assert.deepEqual(filePartsOf(`${HOST}${FLEET}\n`), { host: HOST, fleet: FLEET });
    assert.deepEqual(filePartsOf(`${FLEET}\n${HOST}`), { host: HOST, fleet: FLEET });
  });

  test('put together again are the file', () => {
    const parts = filePartsOf(`${HOST}${FLEET}\n`);
    assert.ok(parts !== null);
    assert.deepEqual(filePartsOf(`${parts.host}\n${parts.fleet}\n`)?.fleet, FLEET);
  });

  test('have one fingerprint on all hosts, whatever the host part says', () => {
    const [one, other] = [filePartsOf(`${HOST}${FLEET}`), filePartsOf(`${HOST.replace('edge-1', 'edge-2')}\n${FLEET}\n\n`)];
    assert.ok(one !== null && other !== null);
    assert.equal(fleetFingerprint(one), fleetFingerprint(other));
    assert.notEqual(fleetFingerprint(one), fleetFingerprint({ host: '', fleet: FLEET.replace('shop', 'store') }));
  });

  test('cannot be told in a file that is one flow mapping', () => {
    assert.equal(filePartsOf('{ version: 1, clusters: {} }'), null);
    assert.equal(filePartsOf(`${HOST}clusters: {\n}\n`)?.fleet, 'clusters: {\n}');
  });
});
