// What is masked or dropped never comes out, whatever the text, its escapes, its doubles and its pieces; what is read is JSON and nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FieldSource } from '../../../../balancer/filter/request-values.ts';
import { JsonRewriter } from '../../../../balancer/filter/json-body/json-rewriter.ts';
import { JsonError, JsonScanner } from '../../../../balancer/filter/json-body/json-scanner.ts';
import { rulesOf } from '../../../../balancer/filter/json-body/options.ts';
import { Utf8Check } from '../../../../balancer/filter/json-body/utf8-check.ts';
import { aRequest } from '../../../support/request.ts';
import { sideOptions, type SideParts } from '../../../support/json-edits.ts';

const FROM: FieldSource = { request: aRequest(), response: null };
const CANARY = 'canary-7f3a';

/** The text after the edits, read in pieces that end at `cuts`. */
function rewritten(text: string | Buffer, parts: SideParts, cuts: readonly number[] = []): string {
  const rules = rulesOf('response', sideOptions(parts));
  const rewriter = new JsonRewriter(rules.edits, FROM, { mask: rules.mask, several: false });
  const scanner = new JsonScanner(rewriter, { depth: rules.depth, several: false });
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length];
  const out: Buffer[] = [];
  for (const [index, from] of places.slice(0, -1).entries()) {
    // A copy that is gone after the call, as pieces of the engine are.
    const piece = Buffer.from(bytes.subarray(from, places[index + 1]));
    scanner.push(piece);
    piece.fill(0);
    out.push(rewriter.take());
  }
  scanner.end();
  out.push(rewriter.take());
  return Buffer.concat(out).toString();
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const NAMES = ['email', 'card', 'a/b', 'm~n', 'x', '0', 'é', '', '__proto__', '*'];
const names = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 4 }));

/** A member list, so that names may stand twice. */
type Tree = { readonly kind: 'leaf'; readonly text: string } | { readonly kind: 'list'; readonly items: readonly Tree[] } | Members;
interface Members {
  readonly kind: 'members';
  readonly members: readonly (readonly [string, Tree])[];
}

const { tree } = fc.letrec<{ tree: Tree; leaf: Tree; list: Tree; members: Tree }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('members'), tie('list')),
  leaf: fc
    .oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.constant('\u{1f600}"\\'),
    )
    .map((value): Tree => ({ kind: 'leaf', text: JSON.stringify(value) })),
  list: fc.array(tie('tree'), { maxLength: 4 }).map((items): Tree => ({ kind: 'list', items })),
  members: fc.array(fc.tuple(names, tie('tree')), { maxLength: 5 }).map((members): Tree => ({ kind: 'members', members })),
}));

/** How a name or a text is written: some characters as escapes. */
function escaped(name: string, every: number): string {
  let at = 0;
  const body = JSON.stringify(name).slice(1, -1);
  if (every === 0 || /\\/.test(body)) return `"${body}"`;
  return `"${Array.from({ length: body.length }, (_, index) => {
    at += 1;
    return at % every === 0 ? `\\u${body.charCodeAt(index).toString(16).padStart(4, '0')}` : (body[index] ?? '');
  }).join('')}"`;
}

interface Style {
  readonly every: number;
  readonly blank: string;
}

function written(of: Tree, style: Style): string {
  const { blank } = style;
  if (of.kind === 'leaf') return of.text;
  if (of.kind === 'list') return `[${blank}${of.items.map((item) => written(item, style)).join(`${blank},${blank}`)}${blank}]`;
  const members = of.members.map(([name, value]) => `${escaped(name, style.every)}${blank}:${blank}${written(value, style)}`);
  return `{${members.join(`,${blank}`)}${blank}}`;
}

/** Every leaf at the place, and all below, becomes the canary. */
function planted(of: Tree, place: readonly string[]): Tree {
  const [step, ...rest] = place;
  if (step === undefined) return everywhere(of);
  if (of.kind === 'leaf') return of;
  if (of.kind === 'list')
    return { kind: 'list', items: of.items.map((item, index) => (step === '*' || step === String(index) ? planted(item, rest) : item)) };
  return {
    kind: 'members',
    members: of.members.map(([name, value]) => [name, step === '*' || step === name ? planted(value, rest) : value]),
  };
}

function everywhere(of: Tree): Tree {
  if (of.kind === 'leaf') return { kind: 'leaf', text: `"${CANARY}"` };
  if (of.kind === 'list') return { kind: 'list', items: of.items.map(everywhere) };
  // Names below are secret too.
  return { kind: 'members', members: of.members.map(([name, value]) => [`${CANARY}${name}`, everywhere(value)]) };
}

const pointerOf = (place: readonly string[]): string =>
  place.map((step) => `/${step === '*' ? '*' : step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const places = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 });
const cuts = fc.array(fc.nat(2000), { maxLength: 12 });
const styles = fc.record({ every: fc.constantFrom(0, 1, 2, 3), blank: fc.constantFrom('', ' ', '\n\t', '\r\n') });

describe('what is masked', () => {
  it('never comes out, whatever the pieces, the escapes and the doubles', () =>
    fc.assert(
      fc.property(
        tree,
        places,
        cuts,
        fc.tuple(styles, fc.constantFrom('mask' as const, 'remove' as const)),
        (of, place, at, [style, how]) => {
          const text = written(planted(of, place), style);
          const out = rewritten(text, { [how]: [pointerOf(place)] }, at);
          assert.ok(!out.includes(CANARY), `${text} → ${out}`);
          JSON.parse(out);
        },
      ),
      { numRuns: 3000 },
    ));

  it('comes out nowhere where its name is looked for at any depth', () =>
    fc.assert(
      fc.property(
        tree,
        names.filter((name) => !/[*]/.test(name)),
        cuts,
        styles,
        (of, name, at, style) => {
          const text = written(everyMember(of, name), style);
          const out = rewritten(text, { mask: [`/**${pointerOf([name])}`] }, at);
          assert.ok(!out.includes(CANARY), `${text} → ${out}`);
        },
      ),
      { numRuns: 1000 },
    ));

  it('is masked under a name that it gets, and in every case where that counts for nothing', () => {
    assert.equal(rewritten('{"mail":"x","b":1}', { rename: [{ at: '/mail', to: 'email' }], mask: ['/email'] }), '{"email":"***","b":1}');
    assert.equal(rewritten('{"EMAIL":"x","eMail":2}', { mask: ['/email'], ignoreCase: true }), '{"EMAIL":"***","eMail":"***"}');
    // The sign of Kelvin and the long s are read as k and s by readers that fold names.
    assert.equal(rewritten('{"to\u212Aen":"x","pa\u017F\u017F":1}', { remove: ['/token', '/pass'], ignoreCase: true }), '{}');
  });
});

/** Of every mapping a member of that name, and all that has it is secret. */
function everyMember(of: Tree, name: string): Tree {
  if (of.kind === 'leaf') return of;
  if (of.kind === 'list') return { kind: 'list', items: of.items.map((item) => everyMember(item, name)) };
  const members = of.members.map(([known, value]): readonly [string, Tree] => [
    known,
    known === name ? everywhere(value) : everyMember(value, name),
  ]);
  return { kind: 'members', members: [...members, [name, { kind: 'leaf', text: `"${CANARY}"` }]] };
}

describe('the reader', () => {
  const readAs = (text: string, at: readonly number[]): string | null => {
    try {
      return rewritten(text, { mask: ['/none'] }, at);
    } catch (error) {
      assert.ok(error instanceof JsonError);
      return null;
    }
  };

  it('takes what JSON.parse takes, and leaves it what it is', () =>
    fc.assert(
      fc.property(
        tree,
        cuts,
        styles,
        fc.tuple(fc.nat(200), fc.constantFrom('', ',', ':', '}', ']', '"', '\\', '0', '-', '.', 'e', 'x', '\u0001', 'tru')),
        (of, at, style, [spot, odd]) => {
          const good = written(of, style);
          // As UTF-8 has it, where the spot is within a character.
          const text = Buffer.from(`${good.slice(0, spot)}${odd}${good.slice(spot)}`).toString();
          const out = readAs(text, at);
          const expected = parsed(text);
          if (expected === undefined) assert.equal(out, null, text);
          else assert.deepEqual(JSON.parse(out ?? ''), expected);
        },
      ),
      { numRuns: 3000 },
    ));

  it('takes what is cut off for nothing whole', () =>
    fc.assert(
      fc.property(
        tree.filter(({ kind }) => kind !== 'leaf'),
        fc.nat(),
        (of, spot) => {
          const text = written(of, { every: 0, blank: '' });
          assert.throws(() => rewritten(text.slice(0, 1 + (spot % (text.length - 1))), { mask: ['/x'] }), JsonError);
        },
      ),
    ));

  it('tells UTF-8 from other bytes, wherever they are cut', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
            fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
          ),
        ),
        cuts,
        (parts, at) => {
          const bytes = Buffer.concat(parts);
          const check = new Utf8Check();
          const spots = [0, ...at.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length];
          const good = spots.slice(0, -1).every((from, index) => check.push(bytes.subarray(from, spots[index + 1]))) && check.isWhole;
          assert.equal(good, Buffer.from(bytes.toString()).equals(bytes));
        },
      ),
      { numRuns: 2000 },
    ));
});

/** Undefined: it is no JSON. */
function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

describe('edits', () => {
  const CASES: readonly (readonly [string, SideParts, string, string])[] = [
    [
      'drop members and elements, the first and the last too',
      { remove: ['/a', '/l/0', '/l/2'] },
      '{ "a": 1, "b": 2, "l": [1, 2, 3] }',
      '{"b":2,"l":[2]}',
    ],
    ['leave what is empty then', { remove: ['/a', '/l/*'] }, '{"a":1,"l":[1,[2]]}', '{"l":[]}'],
    [
      'mask whatever stands there',
      { mask: ['/a', '/b', '/c'], maskWith: '…' },
      '{"a":{"x":1},"b":[1],"c":null,"d":2}',
      '{"a":"…","b":"…","c":"…","d":2}',
    ],
    ['rename, and let the first of two be out', { rename: [{ at: '/a', to: 'b' }] }, '{"a":1,"b":2,"c":3}', '{"b":1,"c":3}'],
    ['rename, where the other one comes first', { rename: [{ at: '/a', to: 'b' }] }, '{"b":2,"a":1}', '{"b":2}'],
    ['rename in every element', { rename: [{ at: '/*/a', to: 'ä"' }] }, '[{"a":1},{"a":{"a":2}},3]', '[{"ä\\"":1},{"ä\\"":{"a":2}},3]'],
    [
      'set what is there and what is not',
      {
        set: [
          { at: '/a', value: { x: [1] } },
          { at: '/b', value: true },
        ],
      },
      '{"a":1}',
      '{"a":{"x":[1]},"b":true}',
    ],
    [
      'set only what is not there',
      {
        set: [
          { at: '/a', value: 2, when: 'absent' },
          { at: '/b', value: 3, when: 'absent' },
        ],
      },
      '{"a":1}',
      '{"a":1,"b":3}',
    ],
    [
      'set only what is there',
      {
        set: [
          { at: '/a', value: 2, when: 'present' },
          { at: '/b', value: 3, when: 'present' },
        ],
      },
      '{"a":1}',
      '{"a":2}',
    ],
    ['set in what is there, and make nothing for it', { set: [{ at: '/o/a', value: 1 }] }, '{"p":{}}', '{"p":{}}'],
    ['set behind the last element', { set: [{ at: '/l/-', value: 9 }] }, '{"l":[1],"m":{"l":[]}}', '{"l":[1,9],"m":{"l":[]}}'],
    ['set in a mapping that is empty', { set: [{ at: '/o/a', value: null }] }, '{"o":{}}', '{"o":{"a":null}}'],
    ['take texts of the request', { set: [{ at: '/m', value: '${request.method} "x"' }] }, '{}', '{"m":"GET \\"x\\""}'],
    ['mask the whole text', { mask: [''] }, '{"a":1}', '"***"'],
    ['remove before they set', { remove: ['/a'], set: [{ at: '/a', value: 1 }] }, '{"a":{"old":1},"b":2}', '{"b":2,"a":1}'],
    ['reach any depth', { remove: ['/**/id'] }, '{"id":1,"o":{"id":2,"l":[{"id":3,"x":[[{"id":4}]]}]}}', '{"o":{"l":[{"x":[[{}]]}]}}'],
    [
      'reach any depth below a place',
      { mask: ['/o/**/x'] },
      '{"x":1,"o":{"x":2,"l":[{"x":3}]}}',
      '{"x":1,"o":{"x":"***","l":[{"x":"***"}]}}',
    ],
    [
      'read names as pointers write them',
      { mask: ['/a~1b', '/m~0n', '/'] },
      '{"a/b":1,"m~n":2,"":3,"a":{"b":4}}',
      '{"a/b":"***","m~n":"***","":"***","a":{"b":4}}',
    ],
    [
      'find members that objects bring along',
      { mask: ['/__proto__'] },
      '{"__proto__":{"a":1},"constructor":2}',
      '{"__proto__":"***","constructor":2}',
    ],
    [
      'keep numbers and escapes as they were written',
      { mask: ['/none'] },
      '{"n":1.50e+3,"big":12345678901234567890,"t":"\\u0061\\/"}',
      '{"n":1.50e+3,"big":12345678901234567890,"t":"\\u0061\\/"}',
    ],
  ];
  for (const [what, parts, text, expected] of CASES) {
    it(what, () => {
      assert.equal(rewritten(text, parts), expected);
      assert.equal(
        rewritten(
          text,
          parts,
          Array.from({ length: text.length }, (_, index) => index),
        ),
        expected,
      );
    });
  }
});
