// Signatures of what hosts leave for each other, and the file their keys stand in.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { parseKeys, Seal } from '../../../balancer/store/seal.ts';

const [old, fresh, strange] = [randomBytes(32), randomBytes(32), randomBytes(32)] as const;

describe('a seal', () => {
  const seal = new Seal([fresh, old]);
  const sealed = seal.close('entry', '7', 'what is said, with ü');

  test('opens what it closed', () => assert.equal(seal.open('entry', '7', sealed), 'what is said, with ü'));

  test('opens nothing that was changed anywhere', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      assert.equal(seal.open('entry', '7', changed), null, `character ${at}`);
    }
    for (const cut of ['', 'short', sealed.slice(1), sealed.slice(0, -1), `${sealed} `]) assert.equal(seal.open('entry', '7', cut), null);
  });

  test('opens nothing that was said of something else', () => {
    assert.equal(seal.open('entry', '8', sealed), null);
    assert.equal(seal.open('config', '7', sealed), null);
  });

  test('is rotated without a moment in which a host does not understand another', () => {
    const before = new Seal([old]);
    const between = new Seal([old, fresh]);
    const after = new Seal([fresh]);
    assert.equal(between.open('entry', '1', before.close('entry', '1', 'x')), 'x');
    assert.equal(before.open('entry', '1', between.close('entry', '1', 'x')), 'x');
    assert.equal(between.open('entry', '1', seal.close('entry', '1', 'x')), 'x');
    assert.equal(seal.open('entry', '1', between.close('entry', '1', 'x')), 'x');
    assert.equal(after.open('entry', '1', seal.close('entry', '1', 'x')), 'x');
    assert.equal(after.open('entry', '1', before.close('entry', '1', 'x')), null);
    assert.equal(new Seal([strange]).open('entry', '1', seal.close('entry', '1', 'x')), null);
  });
});

describe('a key file', () => {
  test('has keys, one a line, and comments', () => {
    const text = `# of March\n${fresh.toString('base64')}\n\n${old.toString('base64')} # goes in April\n`;
    assert.deepEqual(parseKeys(text, 'keys'), [fresh, old]);
  });

  test('that is not one says what is wrong where, and how to make a key', () => {
    const line = fresh.toString('base64');
    assert.throws(() => parseKeys('', 'keys'), /^Error: keys: there is no key in it; make one with: openssl rand -base64 32 > keys$/);
    assert.throws(
      () => parseKeys(`${line}\n${randomBytes(16).toString('base64')}`, 'keys'),
      /keys:2: expected a key of at least 32 bytes in base64/,
    );
    assert.throws(() => parseKeys('not base64, although it is long enough for a key', 'keys'), /keys:1: expected a key/);
  });
});
