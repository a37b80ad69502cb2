// Every input that fuzzing found and kept, and every seed, is tried again: what was wrong once stays right.
import { test } from 'node:test';
import { keptInputs } from '../fuzz/corpus.ts';
import { FUZZ_TARGETS } from '../fuzz/registry.ts';
import { seededRandom } from '../support/seeded-random.ts';

for (const target of FUZZ_TARGETS) {
  test(`the kept inputs of ${target.name} are read as they must be`, async (t) => {
    const open = await target.open(seededRandom(1));
    t.after(() => open.close());
    const inputs = [...target.seeds, ...keptInputs(target.name).map(({ input }) => input)];
    for (let at = 0; at < inputs.length; at += target.parallel)
      await Promise.all(inputs.slice(at, at + target.parallel).map(async (input) => open.run(input)));
  });
}
