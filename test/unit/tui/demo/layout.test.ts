// The config files that programs write for themselves must pass the loader that users' files pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../../balancer/config/load.ts';
import { formatProblem } from '../../../../balancer/config/problems.ts';
import { EXTENSIONS } from '../../../../balancer/registries.ts';
import { weirConfig } from '../../../../bench/contenders/weir-config.ts';
import { DEMO_CLUSTERS, demoConfig } from '../../../../tui/demo/layout.ts';

const ENVIRONMENT = { cores: 2, hostName: 'test', readable: () => true };

function load(text: string) {
  const loaded = loadConfig({ file: '/etc/weir.yaml', text }, EXTENSIONS, ENVIRONMENT);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

test('the config of the demo has three clusters, two versions at 90 to 10 and two workers', () => {
  const ports = { listener: 8080, admin: 7070, agents: 7071, metrics: 9464 };
  const origins = new Map(DEMO_CLUSTERS.map(({ name }, index) => [name, 20_000 + index]));
  const config = load(demoConfig(ports, origins, '/tmp/a: "b"/state'));
  assert.deepEqual(Object.keys(config.clusters), ['eu-west', 'us-east', 'ap-south']);
  assert.deepEqual(config.services['demo']?.split, { blue: 900_000, green: 100_000 });
  assert.equal(config.workers, 2);
  assert.equal(config.stateDir, '/tmp/a: "b"/state');
  assert.equal(config.clusters['us-east']?.endpoints[0]?.port, 20_001);
});

test('the config of the bench has one worker, a split over two versions, probes and metrics', () => {
  const config = load(
    weirConfig({
      ...{ workers: 1, otherRoutes: 0, accessLog: false, filters: '[]', certificate: null, directory: '/tmp/bench' },
      ports: { listener: 1, admin: 2, metrics: 3 },
      wiring: { downstream: 'plain', upstream: 'http1' },
      origin: { http1: 4, h2c: null, tls: null },
    }),
  );
  assert.equal(config.workers, 1);
  assert.equal(config.services['bench']?.versions.length, 2);
  assert.ok(Object.values(config.clusters).every(({ health }) => health !== null));
  assert.notEqual(config.metrics, null);
});
