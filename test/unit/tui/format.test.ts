// Figures and tables as operators read them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as format from '../../../tui/format.ts';
import { plain, table } from '../../../tui/table.ts';

describe('figures', () => {
  test('a millionth is visible, and what is not known is a dash', () => {
    assert.equal(format.share(0.000001), '0.0001%');
    assert.equal(format.share(1 / 3), '33.3333%');
    assert.equal(format.share(1), '100%');
    assert.equal(format.ratio(null), '-');
    assert.equal(format.milliseconds(null), '-');
    assert.equal(format.rate(0.04), '0');
    assert.equal(format.rate(9.96), '10');
  });

  test('ages keep the largest unit that means something', () => {
    const cases = { '850ms': 850, '12s': 12_900, '5m': 300_000, '3h': 3 * 3_600_000, '9d': 9 * 86_400_000 };
    for (const [text, ms] of Object.entries(cases)) assert.equal(format.age(ms), text);
  });

  test('a change reads as the command that makes it', () => {
    assert.equal(format.changeText({ kind: 'shift', service: 'shop', percents: { green: 10 } }), 'shift shop green=10');
    assert.equal(format.changeText({ kind: 'shift_clusters', service: 'shop', percents: { a: 1.5 } }), 'shift shop --clusters a=1.5');
    assert.equal(format.changeText({ kind: 'admin', cluster: 'a', state: 'active' }), 'restore a');
    assert.equal(format.changeText({ kind: 'undo', to: 4 }), 'undo --to 4');
    assert.equal(format.changeText({ kind: 'admin', cluster: 'a', state: 'drain', forMs: 5_400_000 }), 'drain a --for 1h30m');
    assert.equal(
      format.changeText({ kind: 'purge', urls: ['http://a/b'], prefixes: ['a/c', 'a/d'], tags: ['x', 'y'], route: 'shop', soft: true }),
      'cache purge --url http://a/b --prefix /c /d --host a --tag x y --route shop --soft',
    );
    assert.equal(format.changeText({ kind: 'purge', prefixes: ['/c'], all: true }), 'cache purge --prefix /c --all');
    assert.equal(format.changeText({ kind: 'expire', revision: 4 }), 'return from 4');
    assert.equal(format.changeText(null), 'config');
  });
});

describe('tables', () => {
  test('columns align, numbers to the right, nothing trails', () => {
    const text = table(
      [
        { name: 'a', count: 5 },
        { name: 'longer', count: 12345 },
      ],
      [
        { title: 'N', of: (item) => String(item.count), right: true },
        { title: 'NAME', of: (item) => item.name },
      ],
    );
    assert.equal(text, '    N  NAME\n    5  a\n12345  longer\n');
  });

  test('colours go around words, never into widths, and only when asked for', () => {
    const columns = [
      { title: 'STATE', of: (item: string) => item, tone: (item: string) => (item === 'down' ? ('bad' as const) : null) },
      { title: 'N', of: () => '1' },
    ];
    assert.equal(table(['up', 'down'], columns, true), 'STATE  N\nup     1\n\u001b[31mdown\u001b[0m   1\n');
    assert.equal(table(['up', 'down'], columns), 'STATE  N\nup     1\ndown   1\n');
  });

  test('control characters, C1 codes and line separators become blanks', () => {
    assert.equal(plain('a\u001b]0;x\u0007b\u009bc\u2028d\r\ne'), 'a ]0;x b c d e');
  });
});
