// Whole files: the complete config that comes out, or all problems with their places.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from '../../../balancer/config/problems.ts';
import { load } from '../../support/config-text.ts';
import { assertGolden } from '../../support/golden.ts';

const FILES: readonly (readonly [name: string, shown: string])[] = [
  ['small', 'the smallest file becomes a config with every default filled in'],
  ['complete', 'a file with every key becomes the config that says the same in milliseconds, bytes and absolute paths'],
  ['mistyped', 'all keys and values of a wrong form are told at once, with place, expectation and the nearest known word'],
  ['contradictory', 'all contradictions between values of the right form are told at once'],
];

for (const [name, shown] of FILES) {
  test(shown, () => {
    const text = readFileSync(join(import.meta.dirname, `../../golden/config/${name}.yaml`), 'utf8');
    const result = load(text, `/etc/weir/${name}.yaml`);
    assertGolden(`config/${name}.txt`, result.ok ? JSON.stringify(result.config, null, 2) : result.problems.map(formatProblem).join('\n'));
  });
}
