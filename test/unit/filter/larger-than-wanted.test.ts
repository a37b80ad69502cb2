// Requests that are larger or deeper than a route wants: refused in time, whatever they are wrapped in; the others pass untouched.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { JsonDepth } from '../../../balancer/filter/request-limits/json-depth.ts';
import { filterProblems } from '../../support/filter-options.ts';
import { startOrigin, type Origin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';

const CODERS = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;

interface Asked {
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent without a length, in pieces of so many bytes. */
  readonly pieces?: number;
  readonly path?: string;
}

interface Told {
  readonly status: number;
  readonly code: string;
}

interface Scene {
  readonly ask: (asked: Partial<Asked>) => Promise<Told>;
  readonly origin: Origin;
  /** Bodies that the service had to their end, with the length it was told. */
  readonly whole: { readonly body: Buffer; readonly length: string | undefined }[];
}

async function behind(t: TestContext, options: object): Promise<Scene> {
  const whole: Scene['whole'] = [];
  const origin = await startOrigin(t, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      whole.push({ body: Buffer.concat(parts), length: request.headers['content-length'] });
      response.end();
    });
    request.on('error', () => undefined);
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ requestLimits: options }] } });
  const ask = async ({ body = Buffer.alloc(0), headers = {}, pieces, path = '/' }: Partial<Asked>): Promise<Told> => {
    const sent = pieces === undefined ? new Uint8Array(body) : ReadableStream.from(inPieces(body, pieces));
    const answer = await fetch(`${proxy.url}${path}`, { method: 'POST', headers, body: sent, duplex: 'half' });
    const text = await answer.text();
    return { status: answer.status, code: answer.status === 200 ? '' : (JSON.parse(text) as { code: string }).code };
  };
  return { ask, origin, whole };
}

function* inPieces(body: Buffer, size: number): Iterable<Uint8Array> {
  for (let from = 0; from < body.length; from += size) yield new Uint8Array(body.subarray(from, from + size));
}

const TOO_LARGE: Told = { status: 413, code: 'body_too_large' };
const GOES_ON: Told = { status: 200, code: '' };
const JSON_TYPE = { 'content-type': 'application/json' };
const nested = (depth: number): Buffer => Buffer.from(`${'['.repeat(depth)}"[[[[{{{{\\"[["${']'.repeat(depth)}`);

describe('a body', () => {
  it('that says it is too large is refused before the service hears of it', async (t) => {
    const { ask, origin, whole } = await behind(t, { body: '1KiB' });
    assert.deepEqual(await ask({ body: Buffer.alloc(1025) }), TOO_LARGE);
    assert.equal(origin.requests.length, 0);
    assert.deepEqual(await ask({ body: Buffer.alloc(1024, 'a') }), GOES_ON);
    assert.deepEqual(whole, [{ body: Buffer.alloc(1024, 'a'), length: '1024' }]);
  });

  it('that becomes too large on its way never comes to its end', async (t) => {
    const { ask, whole } = await behind(t, { body: '100KiB' });
    assert.deepEqual(await ask({ body: Buffer.alloc(102_401), pieces: 10_000 }), TOO_LARGE);
    assert.deepEqual(whole, []);
    assert.deepEqual(await ask({ body: Buffer.alloc(102_400, 'b'), pieces: 10_000 }), GOES_ON);
    assert.deepEqual(whole, [{ body: Buffer.alloc(102_400, 'b'), length: undefined }]);
  });

  for (const [coding, code] of Object.entries(CODERS))
    it(`in ${coding} is measured by what is in it, and passes as it was sent`, async (t) => {
      const { ask, whole } = await behind(t, { decodedBody: '1MiB' });
      const headers = { 'content-encoding': coding };
      const bomb = code(Buffer.alloc(8 << 20));
      assert.ok(bomb.length < 1 << 16);
      assert.deepEqual(await ask({ body: bomb, headers }), TOO_LARGE);
      assert.deepEqual(whole, []);
      const right = code(Buffer.alloc(1 << 20, 'so it goes on\n'));
      assert.deepEqual(await ask({ body: right, headers }), GOES_ON);
      assert.deepEqual(await ask({ body: right, headers, pieces: 7 }), GOES_ON);
      assert.deepEqual(whole, [
        { body: right, length: String(right.length) },
        { body: right, length: undefined },
      ]);
    });

  it('that is not what it says, or that nobody can look into, is refused', async (t) => {
    const { ask, whole } = await behind(t, { decodedBody: '1MiB' });
    const told = (coding: string, body: Buffer): Promise<Told> => ask({ body, headers: { 'content-encoding': coding } });
    assert.deepEqual(await told('gzip', Buffer.from('no gzip')), { status: 400, code: 'body_malformed' });
    assert.deepEqual(await told('zstd', Buffer.alloc(100, 7)), { status: 400, code: 'body_malformed' });
    assert.deepEqual(await told('br', Buffer.concat([brotliCompressSync('a'), Buffer.alloc(5000)])), {
      status: 400,
      code: 'body_malformed',
    });
    for (const coding of ['compress', 'gzip, gzip', 'constructor'])
      assert.deepEqual(await told(coding, gzipSync('a')), { status: 415, code: 'coding_not_supported' });
    assert.deepEqual(whole, []);
    assert.deepEqual(await told('identity', Buffer.from('a')), GOES_ON);
  });

  it('of JSON is refused where it is too deep, also when it is compressed, and texts in it do not count', async (t) => {
    const { ask, whole } = await behind(t, { jsonDepth: 8 });
    const tooDeep: Told = { status: 400, code: 'body_too_deep' };
    assert.deepEqual(await ask({ body: nested(8), headers: JSON_TYPE }), GOES_ON);
    assert.deepEqual(await ask({ body: nested(9), headers: JSON_TYPE }), tooDeep);
    assert.deepEqual(
      await ask({ body: nested(9), headers: { 'content-type': 'application/problem+json; charset=utf-8' }, pieces: 1 }),
      tooDeep,
    );
    assert.deepEqual(await ask({ body: gzipSync(nested(9)), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }), tooDeep);
    assert.deepEqual(await ask({ body: nested(100), headers: { 'content-type': 'text/plain' } }), GOES_ON);
    assert.equal(whole.length, 2);
  });
});

describe('the depth of a JSON text', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it('is that of the value, however it comes in pieces', () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), pieces, (value, sizes) => {
        const text = Buffer.from(JSON.stringify(value));
        const depth = new JsonDepth();
        let deepest = 0;
        for (let from = 0, turn = 0; from < text.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          deepest = depth.push(text.subarray(from, from + size));
          from += size;
        }
        assert.equal(deepest, depthOf(value));
      }),
    );
  });
});

describe('a head', () => {
  it('is held to a length of the target and to fields', async (t) => {
    const { ask, origin } = await behind(t, { target: '100B', fields: 20, fieldBytes: '1KiB' });
    assert.deepEqual(await ask({ path: `/${'a'.repeat(99)}` }), GOES_ON);
    assert.deepEqual(await ask({ path: `/${'a'.repeat(60)}?${'b'.repeat(60)}` }), { status: 414, code: 'target_too_long' });
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, 'a']));
    assert.deepEqual(await ask({ headers: many }), { status: 431, code: 'head_too_large' });
    assert.deepEqual(await ask({ headers: { 'x-long': 'a'.repeat(1024) } }), { status: 431, code: 'head_too_large' });
    assert.equal(origin.requests.length, 1);
  });

  it('needs at least one limit to be named, and limits that are some', () => {
    assert.match(filterProblems('requestLimits', '{}').join(), /the mapping is empty; expected at least one limit, such as body: 1MiB/);
    assert.match(filterProblems('requestLimits', '{ jsonDepth: 0 }').join(), /expected a whole number of at least 1/);
    assert.match(filterProblems('requestLimits', '{ body: many }').join(), /is not a size/);
  });
});
