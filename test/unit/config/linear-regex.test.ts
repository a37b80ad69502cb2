// Patterns mean what they mean in JavaScript, take linear time whatever the text, and say why when they are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '../../../balancer/config/pattern/linear-regex.ts';

function matches(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern);
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.problem);
  return compiled.regex.test(text);
}

const inJavaScript = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`, 'u').test(text);

const TABLE: readonly (readonly [pattern: string, text: string, expected: boolean])[] = [
  ['/users/[0-9]+', '/users/42', true],
  ['/users/[0-9]+', '/users/42/x', false],
  ['/users/[0-9]+', 'x/users/42', false],
  ['/(?:a|bc)*', '/abcbca', true],
  ['/(?<name>a|b){2,3}', '/abab', false],
  ['/(?<name>a|b){2,3}', '/aba', true],
  ['a{2,}', 'aaaaa', true],
  ['a{2}', 'a', false],
  ['^/x$', '/x', true],
  ['^a|b$', 'b', true],
  ['a^b', 'ab', false],
  ['$', '', true],
  ['.*', 'a\nb', false],
  ['.', '😀', true],
  ['[^/]+', 'ü', true],
  ['[\\w.-]+', 'a_b.c-9', true],
  ['[a\\-z]+', 'a-z', true],
  ['[]', '', false],
  ['[^]', '\n', true],
  ['\\x41\\u0042\\.', 'AB.', true],
  ['\\S+\\s\\D', 'ab c', true],
  ['(a*)*', '', true],
  ['(|a)+', 'aaa', true],
  ['a+?b??', 'aab', true],
  ['', '', true],
];

for (const [pattern, text, expected] of TABLE) {
  test(`the pattern ${pattern} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(text)}, as in JavaScript`, () => {
    assert.equal(inJavaScript(pattern, text), expected);
    assert.equal(matches(pattern, text), expected);
  });
}

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '1', '-');
const { pattern } = fc.letrec<{ pattern: string; branch: string; part: string }>((tie) => ({
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc.constantFrom('^', '$'),
    fc
      .tuple(
        fc.oneof(
          atom,
          tie('pattern').map((inner) => `(?:${inner})`),
        ),
        fc.constantFrom('', '*', '+', '?', '{2}', '{1,3}', '{2,}', '*?'),
      )
      .map((parts) => parts.join('')),
  ),
}));

test('random patterns match random texts exactly when JavaScript says so', () => {
  fc.assert(
    fc.property(pattern, fc.array(fc.constantFrom('a', 'b', '1', '-', 'é'), { maxLength: 8 }), (source, characters) => {
      const text = characters.join('');
      const compiled = compilePattern(source);
      // Repetitions of repetitions grow beyond the bounds now and then; nothing else of what is made here may be refused.
      if (compiled.ok) assert.equal(compiled.regex.test(text), inJavaScript(source, text), `${source} on ${text}`);
      else assert.match(compiled.problem, /^too many ways|^the pattern is too large/);
    }),
    { seed: 7, numRuns: 700 },
  );
});

const REFUSED: readonly (readonly [pattern: string, reason: RegExp])[] = [
  ['(a)\\1', /refers back to a group/],
  ['(?<n>a)\\k<n>', /refers back to a group/],
  ['(?=a)a', /looking ahead or behind/],
  ['(?<!a)b', /looking ahead or behind/],
  ['(?i:a)', /is no group/],
  ['a(', /not closed/],
  ['a)', /closes nothing/],
  ['[a', /not closed/],
  ['[b-a]', /no range/],
  ['*a', /repeats nothing/],
  ['a{3,2}', /wrong way round/],
  ['a{b', /begins no repetition/],
  ['a}', /stands alone/],
  ['\\b', /no escape known/],
  ['\\p{L}', /no escape known/],
  ['\\x4', /hexadecimal digits/],
  ['a\\', /middle of an escape/],
  ['^*', /repeats an anchor/],
  ['((a{100}){100}){100}', /too large/],
  ['.*a.{30}', /too many ways to match/],
  ['(a|b)*a(a|b){200}', /too many ways to match/],
  ['a'.repeat(1001), /1001 characters long/],
  ['('.repeat(60), /nested deeper/],
];

for (const [source, reason] of REFUSED) {
  test(`the pattern ${source.slice(0, 24)} is refused with words that teach`, () => {
    const compiled = compilePattern(source);
    assert.ok(!compiled.ok);
    assert.match(compiled.problem, reason);
  });
}

/** Least CPU milliseconds of several runs. */
function cpuMs(work: () => void): number {
  let least = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const before = process.cpuUsage();
    work();
    const used = process.cpuUsage(before);
    least = Math.min(least, (used.user + used.system) / 1000);
  }
  return least;
}

// A backtracking engine needs 2^30 steps and more for these texts of 32 KiB; a table needs 32,768 steps: about a millisecond.
for (const source of ['(a*)*b', '(a|a)*b', '(a|aa)+$b', 'a*a*a*a*a*b', '(?:a?){30}a{30}b']) {
  test(`a text made to hurt ${source} takes no longer than its length allows`, () => {
    const text = `${'ab'.repeat(8)}${'a'.repeat(32 * 1024)}`;
    matches(source, text);
    assert.ok(cpuMs(() => matches(source, text)) < 500);
  });
}
