// weir simulate: a config and a scenario in, figures out, and every problem with its place; no appliance.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runWeir } from '../support/command.ts';

const CONFIG = `version: 1
listeners: { web: { bind: "127.0.0.1:0" } }
clusters:
  eu: { endpoints: ["http://127.0.0.1:9001"], capacity: { rps: 100 } }
  us: { endpoints: ["http://127.0.0.1:9002"], capacity: { rps: 60 } }
services:
  shop: { versions: { blue: { clusters: { eu: {}, us: {} } } } }
routes: [{ service: shop }]
`;

const SCENARIO = `config: weir.yaml
seeds: 2
duration: 60s
workers: 2
load: { shop: { rps: 80 } }
faults: [ { cluster: eu, kind: down, from: 20s, for: 60s } ]
`;

test('a scenario is played through, and one that does not fit is told with its places', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-simulate-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'weir.yaml'), CONFIG);
  const file = join(directory, 'scenario.yaml');
  writeFileSync(file, SCENARIO);
  const played = await runWeir(['simulate', file, '-o', 'json']);
  assert.deepEqual([played.code, played.stderr], [0, '']);
  assert.match(played.stdout, /"kind": "simulation",\s+"revision": 0,\s+"items": \[\s+\{\s+"runs": 2,/);
  const refused = Number(/"refused": \{\s+"mean": ([\d.]+)/.exec(played.stdout)?.[1]);
  // us takes 60 of 80 once eu is down: a quarter is refused, to within a point for what was measured of the load.
  assert.ok(Math.abs(refused - 0.25) < 0.01, played.stdout);
  assert.match((await runWeir(['simulate', file])).stdout, /^2 runs\nrequests a run +\d+\n/);
  writeFileSync(file, SCENARIO.replace('cluster: eu', 'cluster: ue'));
  const unknown = await runWeir(['simulate', file]);
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /scenario\.yaml:6:\d+: faults\[0\]\.cluster: the config has no cluster "ue"; did you mean "eu"\?/);
  const split = (text: string): string => `${SCENARIO}clusterSplits: ${text}\n`;
  writeFileSync(file, split('{ shop: { eu: { green: 1 } } }'));
  assert.match(
    (await runWeir(['simulate', file])).stderr,
    /clusterSplits\.shop\.eu\.green: the config has no version of shop in eu "green"/,
  );
  writeFileSync(file, split('{ shop: { eu: { blue: 0 } } }'));
  assert.match(
    (await runWeir(['simulate', file])).stderr,
    /clusterSplits\.shop\.eu: no version has a weight; give one of them more than 0/,
  );
  writeFileSync(file, SCENARIO.replace('workers:', 'workres:'));
  assert.match((await runWeir(['simulate', file])).stderr, /scenario\.yaml:4:1: .*unknown key "workres"; did you mean "workers"\?/);
});
