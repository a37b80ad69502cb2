// Sessions and what seals them: by the first key, for one purpose, for a time; nothing else opens, whatever is done to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompactEncrypt } from 'jose';
import { CookieJar, takeCookies } from '../../../../balancer/filter/login/own-cookies.ts';
import { readSealKeys, Seal } from '../../../../balancer/filter/login/seal.ts';
import { beginSession, packSession, unpackSession, type Session } from '../../../../balancer/filter/login/session.ts';
import { EndKeys } from '../../../../balancer/filter/login/session-ends.ts';
import { Sessions } from '../../../../balancer/filter/login/sessions.ts';
import { aSealKey } from '../../../support/login-route.ts';
import { NO_ENDS } from '../../../support/filter-environment.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const HOUR_MS = 3_600_000;
const [ONE, OTHER] = [aSealKey(), aSealKey()];
const TOKENS = { idToken: 'e30.eyJzdWIiOiJhbm5hIn0.x', accessToken: 'a', refreshToken: 'r', expiresS: 60, scopes: null };
const JAR = new CookieJar('session', true);

const sealed = async (seal: Seal, value: object): Promise<string> => {
  const text = await seal.seal(value);
  assert.ok(text !== null);
  return text;
};

test('the first key seals, all of them open, and one that was taken out opens nothing', async () => {
  let keys: string | null = ONE;
  const seal = new Seal(() => keys, 'session');
  const text = await sealed(seal, { a: 1 });
  assert.deepEqual(await seal.open(text), { value: { a: 1 }, isFresh: true });
  keys = `${OTHER}\n${ONE}\n`;
  assert.deepEqual(await seal.open(text), { value: { a: 1 }, isFresh: false });
  const anew = await sealed(seal, { a: 1 });
  keys = OTHER;
  assert.equal(await seal.open(text), null);
  assert.deepEqual(await seal.open(anew), { value: { a: 1 }, isFresh: true });
  keys = null;
  assert.deepEqual([await seal.seal({}), await seal.open(anew)], [null, null]);
});

test('what is sealed for one purpose is nothing for another, and nothing without the key', async () => {
  const [session, begun] = ['session', 'begun'].map((purpose) => new Seal(() => ONE, purpose));
  assert.ok(session !== undefined && begun !== undefined);
  const text = await sealed(session, { a: 1 });
  assert.equal(await begun.open(text), null);
  assert.doesNotMatch(text, new RegExp(Buffer.from('"a"').toString('base64url')));
  const [header = '', ...rest] = text.split('.');
  const named = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  const forged = await new CompactEncrypt(Buffer.from('{"a":2}'))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: named.kid })
    .encrypt(Buffer.from(ONE, 'base64'));
  const unsealed = Buffer.from(JSON.stringify({ ...named, alg: 'none' })).toString('base64url');
  const wrong = ['', 'x', '....', forged, [unsealed, ...rest].join('.'), `${text}x`, text.slice(0, -1), text.toUpperCase()];
  for (const one of wrong) assert.equal(await session.open(one), null, one);
});

test('no bit of a sealed text can be changed', async () => {
  const seal = new Seal(() => ONE, 'session');
  const text = await sealed(seal, { subject: 'anna' });
  for (let at = 0; at < text.length; at += 1) {
    const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const opened = await seal.open(changed);
    // The last character of a part has bits that stand for nothing.
    assert.ok(
      opened === null ||
        Buffer.from(changed.split('.').at(-1) ?? '', 'base64url').equals(Buffer.from(text.split('.').at(-1) ?? '', 'base64url')),
      `at ${at}`,
    );
  }
});

test('keys are 32 bytes each, and what is no key is told without repeating it', () => {
  assert.equal((readSealKeys(`${ONE}\n\n ${OTHER}\n`) as readonly Buffer[]).length, 2);
  assert.equal((readSealKeys(Buffer.from(ONE, 'base64').toString('base64url')) as readonly Buffer[])[0]?.length, 32);
  assert.equal(readSealKeys(' \n'), 'there is no key in it');
  assert.equal(readSealKeys(`${ONE}\nsecret`), 'key 2 is not 32 bytes in base64; `openssl rand -base64 32` makes one');
  assert.match(String(readSealKeys(Array(17).fill(ONE).join('\n'))), /more than 16 keys/);
});

const KEYS = new EndKeys('https://login.example', 'shop');

interface Kept {
  readonly clock: ManualClock;
  readonly sessions: Sessions;
  readonly write: (session: Session) => Promise<string>;
  keys: string;
}

function keep(): Kept {
  const clock = new ManualClock();
  const kept = { keys: ONE };
  const seal = new Seal(() => kept.keys, 'session');
  const identity = { consumer: '', method: 'login', credential: '', groups: [], scopes: [], claims: null };
  const sessions = new Sessions({
    seal,
    clock,
    lifetimeMs: 8 * HOUR_MS,
    idleMs: HOUR_MS,
    identityOf: () => identity,
    ends: NO_ENDS,
    keys: KEYS,
  });
  const write = async (session: Session): Promise<string> => {
    const [, line = ''] = await sessions.write(session, JAR, new Map());
    return line;
  };
  return Object.assign(kept, { clock, sessions, write });
}

const begin = ({ clock }: Kept): Session =>
  beginSession(TOKENS, { claims: {}, told: {} }, { accessToken: false, refreshToken: true, scopes: ['openid'] }, clock.wallMs());

test('a session ends when nobody uses it, and in the end whoever uses it', () => {
  const kept = keep();
  const { clock, sessions } = kept;
  const known = {
    session: begin(kept),
    keys: KEYS.ofSession('', { sub: 'anna' }),
    identity: { consumer: '', method: 'login', credential: '', groups: [], scopes: [], claims: null },
    isFresh: true,
    text: '',
  };
  clock.advance(HOUR_MS / 8 - 1);
  assert.deepEqual([sessions.isOld(known), sessions.isOld({ ...known, isFresh: false })], [false, true]);
  clock.advance(1);
  assert.equal(sessions.isOld(known), true);
  clock.advance((HOUR_MS * 7) / 8 - 1);
  assert.equal(sessions.isOver(known), false);
  clock.advance(1);
  assert.equal(sessions.isOver(known), true);
  for (let hour = 1; hour < 8; hour += 1) {
    known.session = { ...known.session, usedMs: clock.wallMs() };
    assert.equal(sessions.isOver(known), false, `hour ${hour}`);
    clock.advance(HOUR_MS);
  }
  known.session = { ...known.session, usedMs: clock.wallMs() };
  assert.equal(sessions.isOver(known), true);
});

test('the cookie of a session lasts no longer than the session', async () => {
  const kept = keep();
  const session = begin(kept);
  assert.match(await kept.write(session), /^__Host-session=1\.[\w.-]+; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  kept.clock.advance(7.5 * HOUR_MS);
  assert.match(await kept.write(session), /; Max-Age=1800;/);
});

test('a session that was opened before counts for nothing once its key is gone', async () => {
  const kept = keep();
  const text = (await kept.write(begin(kept))).replace(/^[^=]+=1\./, '').replace(/;.*$/, '');
  const known = await kept.sessions.find(text);
  assert.ok(known !== null && kept.sessions.find(text) === known, 'it is remembered');
  kept.keys = OTHER;
  assert.equal(await kept.sessions.find(text), null);
});

test('what is no session of this version is none', () => {
  const packed = packSession(begin(keep()));
  assert.equal(unpackSession(JSON.parse(JSON.stringify(packed)))?.claims['sub'], 'anna');
  const bad = [
    null,
    'x',
    [],
    {},
    { ...packed, v: 2 },
    { ...packed, i: 'x' },
    { ...packed, i: 7 },
    { ...packed, s: 'openid' },
    { ...packed, b: '1' },
    { ...packed, x: 'now' },
  ];
  for (const one of bad) assert.equal(unpackSession(one), null, JSON.stringify(one));
});

test('cookies of logins are taken out of a request wherever they stand, and no others are', () => {
  const fields = [
    'cookie',
    'a=1; session=x; sessions=2',
    'accept',
    '*/*',
    'cookie',
    '__Host-session=1.y;session.1=z',
    'cookie',
    'session-login-s=t; b=3 ;session',
  ];
  const taken = takeCookies(fields, 'session');
  assert.deepEqual(fields, ['cookie', 'a=1; sessions=2', 'accept', '*/*', 'cookie', 'b=3']);
  assert.deepEqual(Object.fromEntries(taken), { '__Host-session': '1.y', 'session.1': 'z', session: 'x', 'session-login-s': 't' });
  assert.equal(JAR.readSession(taken), 'y');
});

test('a cookie that came twice is not read, and one with a part that is missing neither', () => {
  const read = (text: string): string | null | undefined => JAR.readSession(takeCookies(['cookie', text], 'session'));
  assert.equal(read('__Host-session=1.a; __Host-session=1.b'), undefined);
  assert.equal(read('__Host-session=2.a; __Host-session.1=b; __Host-session.1=c'), undefined);
  assert.equal(read('__Host-session=2.a; __Host-session.1=b'), 'ab');
  for (const bad of ['session=1.a', '__Host-session=2.a', '__Host-session=a', '__Host-session=9.a', '__Host-session', '__host-session=1.a'])
    assert.equal(read(bad), null, bad);
});
