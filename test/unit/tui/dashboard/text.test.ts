// Strings that somebody else chose, made safe for a grid of cells.
import { equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { toAscii } from '../../../../tui/dashboard/glyphs.ts';
import { cleanText, clip, fit } from '../../../../tui/dashboard/text.ts';

describe('text from outside', () => {
  const cases: readonly (readonly [what: string, given: string, drawn: string])[] = [
    ['plain text is kept', 'shop blue 100 → 90, Zürich, Ελλάδα, Москва', 'shop blue 100 → 90, Zürich, Ελλάδα, Москва'],
    ['an escape sequence loses its escape', 'a\x1b[2J\x1b]0;title\x07b', 'a[2J]0;titleb'],
    ['an 8-bit control sequence introducer is dropped', 'a\x9b2Jb', 'a2Jb'],
    ['line breaks and tabs are spaces', 'a\nb\r\tc\u2028d', 'a b  c d'],
    ['tags of the drawing library are text', '{red-fg}x{/}', '{red-fg}x{/}'],
    ['ideographs are one dot each', '名前', '··'],
    ['an emoji of several code points is dots without joiners', '👩\u200d💻', '··'],
    ['what can be composed is composed', 'e\u0301', 'é'],
    ['a combining mark that cannot is a dot', 'q\u0301', 'q·'],
    ['direction marks and zero-width characters vanish', 'a\u202e\u200bb\ufeff\u00ad', 'ab'],
    ['half a surrogate pair is a dot', '\ud83d', '·'],
  ];
  for (const [what, given, drawn] of cases) test(what, () => equal(cleanText(given), drawn));

  test('has no control, no wide and no combining character left, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (given) => {
        const clean = cleanText(given);
        ok(!/[\p{Cc}\p{Cf}\p{M}\p{Cs}\p{Co}\p{Cn}\p{So}]/u.test(clean.replace(/[¦©®°]/g, '')), JSON.stringify(clean));
        // One UTF-16 unit per character, so that length is width.
        equal(clean.length, Array.from(clean).length);
        equal(cleanText(clean), clean);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  test('is cut before it costs memory', () => equal(cleanText('x'.repeat(1_000_000)).length, 500));

  test('on an ASCII screen is ASCII', () => match(toAscii(cleanText('→ Zürich … 名')), /^[\x20-\x7e]*$/));
});

describe('a cell', () => {
  test('is cut with an ellipsis and padded to its width', () => {
    equal(clip('abcdef', 4, '…'), 'abc…');
    equal(clip('abcd', 4, '…'), 'abcd');
    equal(clip('abcd', 0, '…'), '');
    equal(fit('ab', 4, 'left', '…'), 'ab  ');
    equal(fit('ab', 4, 'right', '…'), '  ab');
    equal(fit('abcdef', 1, 'left', '…'), '…');
  });
});
