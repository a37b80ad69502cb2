// Options of a filter as a file would give them: through the whole config, so that a test sees what a worker sees.
import assert from 'node:assert/strict';
import { loadConfig } from '../../balancer/config/load.ts';
import { formatProblem } from '../../balancer/config/problems.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { SMALL_CONFIG, TEST_ENVIRONMENT } from './config-text.ts';

/** `options` in YAML, in flow style; fails the test when they are wrong. */
export function filterOptions(name: string, options: string, consumers = '{}'): unknown {
  const result = loadWithFilter(name, options, consumers);
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'));
  return result.config.routes[0]?.filters[0]?.options;
}

/** What is wrong with them, without their places. */
export function filterProblems(name: string, options: string, consumers = '{}'): readonly string[] {
  const result = loadWithFilter(name, options, consumers);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

function loadWithFilter(name: string, options: string, consumers: string): ReturnType<typeof loadConfig> {
  const route = `  - { service: shop, filters: [{ ${name}: ${options} }] }`;
  const text = `${SMALL_CONFIG.replace('  - { service: shop }', () => route)}consumers: ${consumers}\nlimits: { by-address: { by: [address], allow: 100 } }\nissuers: { staff: { issuer: "https://login.example", keys: { url: "https://login.example/keys" } } }\n`;
  return loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
}

/** What is wrong with a file that has this filter `authenticate` and other parts besides. */
export function problemsWith(authenticate: string, parts: string): readonly string[] {
  const route = `  - { service: shop, filters: [{ authenticate: ${authenticate} }] }`;
  const text = SMALL_CONFIG.replace('  - { service: shop }', () => route) + parts;
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}
