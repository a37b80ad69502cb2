// Options of a filter as a file would give them: through the whole config, so that a test sees what a worker sees.
import assert from 'node:assert/strict';
import { loadConfig } from '../../balancer/config/load.ts';
import { formatProblem } from '../../balancer/config/problems.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { SMALL_CONFIG, TEST_ENVIRONMENT } from './config-text.ts';

/** `options` in YAML, in flow style; fails the test when they are wrong. */
export function filterOptions(name: string, options: string, consumers = '{}'): unknown {
  return optionsOf(loadWithFilter(name, options, partsOf(consumers)));
}

/** The same in a file that has `parts` besides. */
export function optionsWithParts(name: string, options: string, parts: string): unknown {
  return optionsOf(loadWithFilter(name, options, parts));
}

function optionsOf(result: ReturnType<typeof loadConfig>): unknown {
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'));
  return result.config.routes[0]?.filters[0]?.options;
}

/** What is wrong with them, without their places. */
export function filterProblems(name: string, options: string, consumers = '{}'): readonly string[] {
  return problemsWithParts(name, options, partsOf(consumers));
}

/** The same in a file that has `parts` besides. */
export function problemsWithParts(name: string, options: string, parts: string): readonly string[] {
  const result = loadWithFilter(name, options, parts);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

/** What filters refer to in their examples. The database is any file that is there: nothing reads it. */
const partsOf = (consumers: string): string =>
  `consumers: ${consumers}\nlimits: { by-address: { by: [address], allow: 100 } }\nclientLocations: { database: ${import.meta.filename} }\nissuers: { staff: { issuer: "https://login.example", keys: { url: "https://login.example/keys" } } }`;

function loadWithFilter(name: string, options: string, parts: string): ReturnType<typeof loadConfig> {
  const route = `  - { service: shop, filters: [{ ${name}: ${options} }] }`;
  const text = `${SMALL_CONFIG.replace('  - { service: shop }', () => route)}${parts}\n`;
  return loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
}

/** What is wrong with a file that has this filter `authenticate` and other parts besides. */
export const problemsWith = (authenticate: string, parts: string): readonly string[] =>
  problemsWithParts('authenticate', authenticate, parts);
