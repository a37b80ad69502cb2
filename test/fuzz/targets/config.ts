// Fuzz target config: whatever stands in the file, it loads or every problem is told with its place, in time, and nothing throws.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../balancer/config/load.ts';
import { EXTENSIONS } from '../../../balancer/registries.ts';
import type { FuzzTarget } from '../target.ts';

const golden = (name: string): string => readFileSync(join(import.meta.dirname, '../../golden/config', name), 'utf8');
const ENVIRONMENT = { cores: 4, hostName: 'fuzz', readable: () => true };
/** Far more than a file of this size takes; less than somebody would notice as hanging. */
const MAX_MS = 2000;

export const config: FuzzTarget = {
  name: 'config',
  summary: 'Config files: every one loads or is told what is wrong with it',
  seeds: ['small.yaml', 'complete.yaml', 'contradictory.yaml', 'mistyped.yaml'].map(golden),
  dictionary: [
    ...[': ', '\n', '  ', '- ', '{ ', ' }', '[', ']', '&a ', '*a', '!!binary ', '|\n', '"', "'", '#', '<<: ', '---\n', '~', '.inf', '0x10'],
    ...['version: 1', 'listeners', 'routes', 'services', 'clusters', 'null', 'true', '1e999', '__proto__', 'constructor', '500ms', '10MiB'],
    ...['"(a+)+$"', 'regex', '*.example.com', '127.0.0.1:80', '[::1]:80', '../x', 'http://a', '\t', '\0', '\u00e9'],
  ],
  parallel: 1,
  open: () => Promise.resolve({ run, close: () => Promise.resolve() }),
};

function run(input: string): string {
  const startedMs = performance.now();
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text: input }, EXTENSIONS, ENVIRONMENT);
  const tookMs = performance.now() - startedMs;
  if (tookMs > MAX_MS) throw new Error(`loading took ${tookMs.toFixed(0)} ms`);
  if (result.ok) return `ok ${result.config.routes.length} ${result.config.listeners.length}`;
  if (result.problems.length === 0) throw new Error('it is refused without a problem');
  for (const { line, column, message } of result.problems)
    if (!(line >= 1) || !(column >= 1) || message === '') throw new Error(`a problem without place or words: ${line}:${column} ${message}`);
  return [...new Set(result.problems.map(({ message }) => message.replaceAll(/"[^"]*"|[0-9]+/g, '').slice(0, 40)))]
    .sort()
    .slice(0, 3)
    .join('|');
}
