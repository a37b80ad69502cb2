// Compressed answers: in the coding that the client takes, byte for byte the same behind it, as they stream, and none that must stay as it is.
import assert from 'node:assert/strict';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { brotliDecompressSync, createGunzip, gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { CODINGS, CodingStream, type Coding } from '../../../balancer/filter/coding-stream.ts';
import { compress } from '../../../balancer/filter/compress.ts';
import type { Filter } from '../../../balancer/filter/filter.ts';
import type { Fields } from '../../../balancer/message/fields.ts';
import type { CanonicalRequest } from '../../../balancer/message/request.ts';
import { aFilterEnvironment, asRecord } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startOrigin, type Answer } from '../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../support/proxy.ts';
import { aRequest } from '../../support/request.ts';
import { until } from '../../support/until.ts';

const DECODE: Readonly<Record<Coding, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes),
  br: (bytes) => brotliDecompressSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
};
const TEXT = 'so it goes on, line by line\n'.repeat(10_000);

const filterWith = (options = '{}'): Filter => compress.create(filterOptions('compress', options), aFilterEnvironment());

/** The head that the client gets, as a mapping. */
async function answered(
  request: Partial<CanonicalRequest>,
  fields: Fields,
  more: { status?: number; bodyLength?: number; options?: string } = {},
) {
  const filter = filterWith(more.options);
  const asked = aRequest(request);
  await filter.onRequest?.(asked);
  filter.onResponse?.(asked, {
    status: more.status ?? 200,
    fields,
    ...(more.bodyLength === undefined ? {} : { bodyLength: more.bodyLength }),
  });
  return asRecord(fields);
}

const asking = (accept: string): Partial<CanonicalRequest> => ({ fields: ['accept-encoding', accept] });
const PAGE = (): Fields => ['content-type', 'text/html; charset=utf-8', 'etag', '"abc"', 'accept-ranges', 'bytes', 'repr-digest', 'a=:b:'];

describe('the coding of an answer', () => {
  const chosen = async (accept: string, options = '{}'): Promise<string> =>
    (await answered(asking(accept), PAGE(), { options }))['content-encoding'] ?? 'none';

  it('is what the client likes best, and of several the first in the file', async () => {
    const cases = [
      ['gzip, deflate, br, zstd', 'zstd'],
      ['gzip, br;q=0.9', 'gzip'],
      ['gzip;q=0.1, br;q=0.2', 'br'],
      ['x-gzip', 'gzip'],
      ['*', 'zstd'],
      ['*;q=0.5, zstd;q=0, br;q=0', 'gzip'],
      ['gzip;q=0.5, identity', 'none'],
      ['gzip;q=0, br;q=0.000', 'none'],
      ['identity', 'none'],
      ['deflate', 'none'],
      ['', 'none'],
      ['gzip;q=1.5', 'none'],
      ['GZIP', 'gzip'],
    ] as const;
    for (const [accept, coding] of cases) assert.equal(await chosen(accept), coding, accept);
    assert.equal(await chosen('gzip, br', '{ codings: [gzip, br] }'), 'gzip');
  });

  it('is none where the client says nothing of codings, or speaks HTTP/1.0', async () => {
    assert.equal((await answered({}, PAGE()))['content-encoding'], undefined);
    assert.equal((await answered({ ...asking('gzip'), version: '1.0' }, PAGE()))['content-encoding'], undefined);
  });

  it('is told by fields that are true of the bytes that are sent', async () => {
    assert.deepEqual(await answered(asking('br'), [...PAGE(), 'vary', 'Origin']), {
      'content-type': 'text/html; charset=utf-8',
      etag: 'W/"abc"',
      vary: 'Origin, accept-encoding',
      'content-encoding': 'br',
    });
  });

  it('makes caches tell clients apart, also where this one gets the answer as it is', async () => {
    assert.deepEqual(await answered({}, PAGE()), { ...asRecord(PAGE()), vary: 'accept-encoding' });
  });
});

describe('an answer stays as it is', () => {
  const untouched = async (
    fields: Fields,
    more: { status?: number; bodyLength?: number; options?: string } = {},
    request = asking('gzip'),
  ) => {
    const before = asRecord(fields);
    assert.deepEqual(await answered(request, fields, more), before);
  };

  it('where it is compressed already, a part, or of a type that is not worth it', async () => {
    await untouched([...PAGE(), 'content-encoding', 'br']);
    await untouched(PAGE(), { status: 206 });
    await untouched(['content-type', 'image/png']);
    await untouched(['content-type', 'text/event-stream']);
    await untouched([]);
  });

  it('where it is known to be small', async () => {
    await untouched(PAGE(), { bodyLength: 1023 });
    await untouched(PAGE(), { bodyLength: 0, options: '{ minSize: 0 }' });
    assert.equal((await answered(asking('gzip'), PAGE(), { bodyLength: 1024 }))['content-encoding'], 'gzip');
  });

  it('where either side says that nobody may change it', async () => {
    await untouched([...PAGE(), 'cache-control', 'public, no-transform, max-age=1']);
    const { 'content-encoding': coding } = await answered({ fields: ['accept-encoding', 'gzip', 'cache-control', 'No-Transform'] }, PAGE());
    assert.equal(coding, undefined);
    assert.equal((await answered(asking('gzip'), [...PAGE(), 'cache-control', 'x-no-transformer']))['content-encoding'], 'gzip');
  });

  it('but its tag is weak where it stands for one that was compressed', async () => {
    assert.equal((await answered(asking('gzip'), ['etag', '"a"'], { status: 304 }))['etag'], 'W/"a"');
    assert.equal((await answered({}, ['etag', '"a"'], { status: 304 }))['etag'], '"a"');
  });

  it('where a process compresses as many as it may', async () => {
    const filter = filterWith();
    const begun: CanonicalRequest[] = [];
    const begin = async (): Promise<string | undefined> => {
      const [request, response] = [aRequest(asking('gzip')), { status: 200, fields: ['content-type', 'text/html'] }];
      await filter.onRequest?.(request);
      filter.onResponse?.(request, response);
      filter.onResponseBody?.(request, response)?.push(Buffer.from('piece'));
      begun.push(request);
      return asRecord(response.fields)['content-encoding'];
    };
    for (let i = 0; i < 256; i += 1) assert.equal(await begin(), 'gzip');
    assert.equal(await begin(), undefined);
    for (const request of begun) filter.onEnd?.(request, { status: 0, durationMs: 1 });
    assert.equal(await begin(), 'gzip');
    for (const request of begun) filter.onEnd?.(request, { status: 0, durationMs: 1 });
  });
});

describe('a compressed body', () => {
  it('comes out as it went in, in whatever pieces', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.integer({ min: 0, max: 300_000 }).map((length) => new Uint8Array(length)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...CODINGS), fc.array(bytes, { maxLength: 5 }), fc.boolean(), (coding, pieces, now) => {
        const stream = new CodingStream(coding, 'normal');
        const made = [...pieces.map((piece) => stream.push(Buffer.from(piece), now)), stream.end()];
        stream.close();
        assert.ok(DECODE[coding](Buffer.concat(made)).equals(Buffer.concat(pieces)));
      }),
      { numRuns: 60 },
    );
  });
});

async function ask(url: string, accept: string, method = 'GET'): Promise<IncomingMessage & { bytes: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  httpGet(url, { method, headers: { 'accept-encoding': accept }, agent: false }, resolve).on('error', reject);
  const answer = await promise;
  return Object.assign(answer, { bytes: Buffer.concat((await answer.toArray()) as Buffer[]) });
}

async function proxyWith(t: TestContext, answer: Answer, options: object = {}): Promise<Proxy> {
  const origin = await startOrigin(t, answer);
  return startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ compress: options }] } });
}

describe('through a worker', () => {
  it('an answer of any length arrives whole, in every coding', async (t) => {
    const proxy = await proxyWith(t, (request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', ...(request.url === '/known' ? { 'content-length': TEXT.length } : {}) });
      response.end(TEXT);
    });
    for (const coding of CODINGS)
      for (const path of ['/known', '/unknown']) {
        const answer = await ask(proxy.url + path, coding);
        assert.deepEqual([answer.headers['content-encoding'], answer.headers['content-length']], [coding, undefined]);
        assert.ok(answer.bytes.length < TEXT.length / 20);
        assert.equal(DECODE[coding](answer.bytes).toString(), TEXT);
      }
    await until(() => countOf(proxy, 'weir_compression_in_bytes_total', 'all') === 6 * TEXT.length, 'what was compressed');
    const out = countOf(proxy, 'weir_compression_out_bytes_total', 'all');
    assert.ok(out > 0 && out < (6 * TEXT.length) / 20);
  });

  it('and over HTTP/2 to the service, with what comes behind it', async (t) => {
    const origin = await startH2Origin(t, ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
      stream.end(TEXT);
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ compress: {} }] } });
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    httpGet(proxy.url, { headers: { 'accept-encoding': 'gzip', te: 'trailers' }, agent: false }, resolve);
    const answer = await promise;
    const body = Buffer.concat((await answer.toArray()) as Buffer[]);
    assert.equal(gunzipSync(body).toString(), TEXT);
    assert.equal(answer.trailers['x-sum'], '7');
  });

  it('HEAD is told what GET would be, and no length', async (t) => {
    const proxy = await proxyWith(t, (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 5000 }).end(),
    );
    const { headers } = await ask(proxy.url, 'gzip', 'HEAD');
    assert.deepEqual([headers['content-encoding'], headers['content-length'], headers.vary], ['gzip', undefined, 'accept-encoding']);
    assert.equal((await ask(proxy.url, 'identity', 'HEAD')).headers['content-length'], '5000');
  });

  it('each event can be read when it was sent', async (t) => {
    let send: (event: string) => void = () => undefined;
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      send = (event) => response.write(event);
    };
    const proxy = await proxyWith(t, answer, { types: ['text/event-stream'] });
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    const request = httpGet(proxy.url, { headers: { 'accept-encoding': 'gzip' }, agent: false }, resolve);
    request.on('error', () => undefined);
    t.after(() => request.destroy());
    const pieces = (await promise).pipe(createGunzip())[Symbol.asyncIterator]();
    for (const event of ['data: one\n\n', 'data: two\n\n']) {
      send(event);
      assert.equal(String((await pieces.next()).value), event);
    }
  });

  it('what the service has compressed arrives as it is', async (t) => {
    const sent = gzipSync(TEXT);
    const proxy = await proxyWith(t, (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' }).end(sent),
    );
    assert.ok((await ask(proxy.url, 'br, gzip')).bytes.equals(sent));
  });
});

it('compress says which options cannot work', () => {
  assert.match(filterProblems('compress', '{ codings: [deflate] }').join(), /expected zstd, br or gzip/);
  assert.match(filterProblems('compress', '{ codings: [] }').join(), /the list is empty/);
  assert.match(filterProblems('compress', '{ types: ["text/html; charset=utf-8"] }').join(), /expected for example text\/html or text\/\*/);
});
