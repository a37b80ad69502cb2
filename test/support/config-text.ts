// Loads config texts in tests with extensions of their own, so that no test depends on which filters there are.
import assert from 'node:assert/strict';
import { Type } from '../../balancer/schema/type.ts';
import type { ConfigEnvironment } from '../../balancer/config/completion.ts';
import type { Config } from '../../balancer/config/config.ts';
import type { ConfigExtensions } from '../../balancer/config/extension.ts';
import { loadConfig, type LoadedConfig } from '../../balancer/config/load.ts';
import { formatProblem } from '../../balancer/config/problems.ts';

export const TEST_EXTENSIONS: ConfigExtensions = {
  filters: [
    {
      name: 'stamp',
      summary: 'Stamps the response.',
      schema: Type.Object({ text: Type.String({ default: 'seen', description: 'What is stamped' }) }, { additionalProperties: false }),
    },
    {
      name: 'limit',
      summary: 'Limits something.',
      schema: Type.Object({
        amount: Type.Integer({ minimum: 1, description: 'How much' }),
        unit: Type.Union([Type.Literal('day'), Type.Object({ seconds: Type.Integer({ description: 'Length' }) })], { default: 'day' }),
      }),
      problem: (options) =>
        typeof options === 'object' && options !== null && Reflect.get(options, 'amount') === 13 ? 'limit: 13 is bad luck; write 12' : null,
    },
  ],
  gateProblem: (text) => (text === 'luck' ? '"luck" is no gate' : null),
  balances: [
    { name: 'first-one', summary: 'Always the first.', schema: Type.Object({}) },
    { name: 'last-one', summary: 'Always the last.', schema: Type.Object({}) },
  ],
};

export const TEST_ENVIRONMENT: ConfigEnvironment = { cores: 4, hostName: 'test-host', readable: (path) => !path.includes('missing') };

/** A file that loads; tests add to it. */
export const SMALL_CONFIG = `version: 1
listeners:
  web: { bind: "127.0.0.1:8080" }
clusters:
  one: { endpoints: ["http://127.0.0.1:9001"] }
services:
  shop: { versions: { blue: { clusters: { one: {} } } } }
routes:
  - { service: shop }
`;

export function load(text: string, file = '/etc/weir/weir.yaml'): LoadedConfig {
  return loadConfig({ file, text }, TEST_EXTENSIONS, TEST_ENVIRONMENT);
}

/** Fails the test with the problems when the text does not load. */
export function loaded(text: string): Config {
  const result = load(text);
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'));
  return result.config;
}

/** The problems as `line:column: path: message`; fails the test when the text loads. */
export function problemsOf(text: string): readonly string[] {
  const result = load(text);
  assert.ok(!result.ok, 'expected problems, but the config loads');
  return result.problems.map((problem) => formatProblem(problem).replace('/etc/weir/weir.yaml:', ''));
}
