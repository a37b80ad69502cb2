// Rules before the split: which requests each kind of condition holds for, and who is in a bucket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssignRule, BucketConfig } from '../../../balancer/config/assign-config.ts';
import type { Keyed } from '../../../balancer/message/request-key.ts';
import { Assignment, NO_RULE } from '../../../balancer/route/assignment.ts';
import { assignText } from '../../../balancer/route/explain-assignment.ts';

const rule = (conditions: Partial<AssignRule>): AssignRule => ({
  ...{ to: 'green', headers: [], query: [], cookies: [], bucket: null },
  ...conditions,
});
const exact = (name: string, value: string) => ({ name, match: { kind: 'exact', value } }) as const;
const byCookie = (from: number, upTo: number): BucketConfig => ({ key: { kind: 'cookie', name: 'uid' }, salt: 'shop-assign', from, upTo });
const asked = (request: Partial<Keyed>): Keyed => ({ fields: [], query: '', clientAddress: '192.0.2.1', ...request });
const user = (id: number): Keyed => asked({ fields: ['cookie', `a=b; uid=user-${id}`] });
const USERS = Array.from({ length: 5000 }, (_, id) => id);

test('a rule holds for a field, a parameter or a cookie, and only where all it asks for is there', () => {
  const assignment = new Assignment([
    rule({ headers: [exact('x-beta', '1')], cookies: [exact('group', 'staff')] }),
    rule({ query: [exact('version', 'next one')] }),
    rule({ cookies: [{ name: 'tester', match: { kind: 'present' } }] }),
  ]);
  const cases: readonly (readonly [Partial<Keyed>, number])[] = [
    [{ fields: ['x-beta', '1', 'cookie', 'group=staff'] }, 0],
    [{ fields: ['x-beta', '1'] }, NO_RULE],
    [{ fields: ['x-beta', '2', 'cookie', 'group=staff'] }, NO_RULE],
    [{ query: 'a=1&version=next%20one' }, 1],
    [{ fields: ['cookie', 'tester='] }, 2],
    [{}, NO_RULE],
  ];
  for (const [request, index] of cases) assert.equal(assignment.match(asked(request)), index, JSON.stringify(request));
});

test('the first rule that holds decides', () => {
  const assignment = new Assignment([rule({ headers: [exact('a', '1')] }), rule({ headers: [exact('b', '1')] })]);
  assert.equal(assignment.match(asked({ fields: ['b', '1', 'a', '1'] })), 0);
});

test('a bucket holds its part of the users, always the same ones, and growing it only adds', () => {
  const inBucket = (bucket: BucketConfig): ReadonlySet<number> => {
    const assignment = new Assignment([rule({ bucket })]);
    return new Set(USERS.filter((id) => assignment.match(user(id)) === 0));
  };
  const [tenth, quarter] = [inBucket(byCookie(0, 0.1)), inBucket(byCookie(0, 0.25))];
  // 5,000 users of whom each is in it with 10 %: 99.99 % are within 4 standard deviations, which is 85.
  assert.ok(Math.abs(tenth.size - 500) < 85, String(tenth.size));
  assert.deepEqual(inBucket(byCookie(0, 0.1)), tenth);
  assert.ok([...tenth].every((id) => quarter.has(id)));
  assert.equal(inBucket(byCookie(0.1, 0.25)).size, quarter.size - tenth.size);
  const other = inBucket({ ...byCookie(0, 0.1), salt: 'other' });
  assert.ok([...other].filter((id) => tenth.has(id)).length < 100, 'another salt divides users in another way');
});

test('whoever has no key is in no bucket', () => {
  assert.equal(new Assignment([rule({ bucket: byCookie(0, 1) })]).match(asked({})), NO_RULE);
});

test('of a connection nobody reads only a bucket of addresses can hold', () => {
  const ofAddresses: BucketConfig = { key: { kind: 'address' }, salt: 's', from: 0, upTo: 1 };
  const assignment = new Assignment([
    rule({ headers: [{ name: 'x-beta', match: { kind: 'absent' } }], bucket: ofAddresses }),
    rule({ bucket: byCookie(0, 1) }),
    rule({ bucket: ofAddresses }),
  ]);
  assert.equal(assignment.matchConnection('192.0.2.1'), 2);
});

test('a rule reads as what it asks for', () => {
  const text = assignText(rule({ headers: [exact('x-beta', '1')], bucket: byCookie(0, 0.1) }));
  assert.equal(text, 'header field x-beta: 1, bucket 0% to 10% of cookie:uid');
});
