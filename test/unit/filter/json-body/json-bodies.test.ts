// JSON bodies that are changed on their way, through a whole worker: heads that tell of them, codings, types, bounds, and answers that must not go out.
import assert from 'node:assert/strict';
import { request as ask } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { filterProblems } from '../../../support/filter-options.ts';
import { startOrigin, type Answer } from '../../../support/origin.ts';
import { startProxy } from '../../../support/proxy.ts';

interface Seen {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** Raw, so that nothing is decoded on the way. Rejects where the answer is broken off. */
function call(url: string, { method = 'GET', headers = {}, body }: Sent): Promise<Told> {
  return new Promise((resolve, reject) => {
    const sent = ask(url, { method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function behind(t: TestContext, options: object, answer: Answer, filters: readonly object[] = []) {
  const seen: Seen[] = [];
  const origin = await startOrigin(t, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => undefined);
    request.on('end', () => {
      seen.push({ method: request.method ?? '', headers: request.headers, body: Buffer.concat(parts).toString() });
      answer(request, response);
    });
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [...filters, { jsonBody: options }] } });
  return { seen, ask: (sent: Sent = {}) => call(proxy.url, sent) };
}

const ok: Answer = (_, response) => response.end('fine');
const JSON_TYPE = { 'content-type': 'application/json' };
const says =
  (body: string | Buffer, headers: Readonly<Record<string, string>> = {}, status = 200): Answer =>
  (_, response) =>
    response.writeHead(status, { ...JSON_TYPE, ...headers }).end(body);
const codeOf = ({ body }: Told): string => (JSON.parse(body.toString()) as { code: string }).code;

describe('the body of a request', () => {
  const options = { request: { remove: ['/role'], set: [{ at: '/by', value: '${client.address}' }] } };

  it('reaches the service as the file says, with a head that tells nothing else', async (t) => {
    const { ask, seen } = await behind(t, options, ok);
    const told = await ask({
      method: 'POST',
      headers: { ...JSON_TYPE, 'content-digest': 'sha-256=:AA==:' },
      body: '{"role":"admin","a":1}',
    });
    assert.equal(told.status, 200);
    assert.equal(seen[0]?.body, '{"a":1,"by":"127.0.0.1"}');
    assert.equal(seen[0].headers['content-length'], undefined);
    assert.equal(seen[0].headers['content-digest'], undefined);
  });

  it('is decoded for it', async (t) => {
    const { ask, seen } = await behind(t, options, ok);
    for (const [coding, code] of Object.entries({ gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }))
      await ask({ method: 'POST', headers: { ...JSON_TYPE, 'content-encoding': coding }, body: code('{"role":1}') });
    assert.deepEqual(
      seen.map(({ body, headers }) => [body, headers['content-encoding']]),
      Array.from({ length: 4 }, () => ['{"by":"127.0.0.1"}', undefined]),
    );
  });

  it('is looked at by the filters before as it was sent', async (t) => {
    const { ask, seen } = await behind(t, options, ok, [{ requestLimits: { jsonDepth: 2, decodedBody: '1KiB' } }]);
    const deep = gzipSync('{"role":[[[1]]]}');
    const told = await ask({ method: 'POST', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: deep });
    assert.equal(codeOf(told), 'body_too_deep');
    assert.equal(seen.length, 0);
  });

  it('is refused where it is no JSON, too deep, too large, or cannot be read', async (t) => {
    const { ask, seen } = await behind(t, { request: { remove: ['/role'], maxSize: '1KiB', maxDepth: 3 } }, ok);
    const post = async (headers: Readonly<Record<string, string>>, body: string | Buffer): Promise<readonly [number, string]> => {
      const told = await ask({ method: 'POST', headers, body });
      return [told.status, codeOf(told)];
    };
    assert.deepEqual(await post({ 'content-type': 'text/plain' }, '{"role":1}'), [415, 'type_not_supported']);
    assert.deepEqual(await post({}, 'role=1'), [400, 'body_malformed']);
    assert.deepEqual(await post(JSON_TYPE, '{"role":1} x'), [400, 'body_malformed']);
    assert.deepEqual(await post(JSON_TYPE, '{"role":1'), [400, 'body_malformed']);
    assert.deepEqual(await post(JSON_TYPE, Buffer.from('{"rol\xe9":1}', 'latin1')), [400, 'body_malformed']);
    assert.deepEqual(await post({ 'content-type': 'application/json; charset=utf-16' }, Buffer.from('{"role":1}', 'utf16le')), [
      400,
      'body_malformed',
    ]);
    assert.deepEqual(await post(JSON_TYPE, '[[[[1]]]]'), [400, 'body_too_deep']);
    assert.deepEqual(await post(JSON_TYPE, `"${'x'.repeat(2000)}"`), [413, 'body_too_large']);
    assert.deepEqual(await post({ ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(`"${'x'.repeat(2000)}"`)), [413, 'body_too_large']);
    assert.deepEqual(await post({ ...JSON_TYPE, 'content-encoding': 'lzw' }, 'x'), [415, 'coding_not_supported']);
    assert.deepEqual(await post({ ...JSON_TYPE, 'content-encoding': 'gzip, gzip' }, 'x'), [415, 'coding_not_supported']);
    assert.deepEqual(await post({ ...JSON_TYPE, 'content-encoding': 'gzip' }, '{"role":1}'), [400, 'body_malformed']);
    assert.equal(seen.length, 0);
  });

  it('may be of another type, where the file says so', async (t) => {
    const { ask, seen } = await behind(t, { request: { remove: ['/role'], otherTypes: 'pass' } }, ok);
    await ask({ method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"role":1}' });
    await ask({ method: 'POST', headers: { 'content-type': 'application/vnd.api+json' }, body: '\ufeff{"role":1}' });
    await ask({ method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: '{"role":1}\n{"a":[1, 2]}\n' });
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['{"role":1}', '{}', '{}\n{"a":[1,2]}\n'],
    );
  });

  it('is nothing where there is none', async (t) => {
    const { ask, seen } = await behind(t, options, ok);
    assert.equal((await ask()).status, 200);
    assert.equal((await ask({ method: 'POST', headers: { ...JSON_TYPE, 'content-length': '0' } })).status, 200);
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['', ''],
    );
  });
});

describe('the body of a response', () => {
  const options = { response: { mask: ['/**/card'] } };
  const CARD = '{"card":"4111","o":{"card":1}}';

  it('reaches the client as the file says, with a head that tells nothing else', async (t) => {
    const { ask, seen } = await behind(t, options, says(CARD, { etag: '"1"', 'content-md5': 'x', 'accept-ranges': 'bytes' }));
    const { headers, body } = await ask({ headers: { range: 'bytes=0-3', 'accept-encoding': 'gzip', 'if-match': 'W/"1", W/"2"' } });
    assert.equal(body.toString(), '{"card":"***","o":{"card":"***"}}');
    assert.deepEqual(
      [headers['etag'], headers['content-md5'], headers['accept-ranges'], headers['content-length']],
      ['W/"1"', undefined, undefined, undefined],
    );
    assert.deepEqual(
      [seen[0]?.headers['range'], seen[0]?.headers['accept-encoding'], seen[0]?.headers['if-match']],
      [undefined, 'identity', '"1", "2"'],
    );
  });

  it('is decoded where the service compresses all the same, and compressed for the client', async (t) => {
    const answer = says(gzipSync(CARD), { 'content-encoding': 'gzip' });
    const plain = await behind(t, options, answer);
    const told = await plain.ask();
    assert.deepEqual([told.body.toString(), told.headers['content-encoding']], ['{"card":"***","o":{"card":"***"}}', undefined]);
    const packed = await behind(t, options, answer, [{ compress: { codings: ['gzip'], minSize: 0 } }]);
    const small = await packed.ask({ headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual([gunzipSync(small.body).toString(), small.headers['content-encoding']], ['{"card":"***","o":{"card":"***"}}', 'gzip']);
  });

  it('is no part of a body, nothing that cannot be read, and nothing too large: that is an error, which passes the filters too', async (t) => {
    const bad: readonly Answer[] = [
      says('{"c', { 'content-range': 'bytes 0-2/30' }, 206),
      says('x', { 'content-encoding': 'lzw' }),
      says(`"${'x'.repeat(2000)}"`, { 'content-length': '2002' }),
    ];
    for (const answer of bad) {
      const { ask } = await behind(t, { response: { mask: ['/**/card'], maxSize: '1KiB' } }, answer, [{ requestId: {} }]);
      const told = await ask();
      assert.deepEqual([told.status, codeOf(told)], [502, 'response_unfit']);
      assert.ok(told.headers['x-request-id'] !== undefined);
    }
  });

  it('is broken off where it turns out to be no JSON, or too large', async (t) => {
    for (const body of ['{"card":"4111","a":nothing}', `"${'x'.repeat(2000)}"`]) {
      const { ask } = await behind(t, { response: { mask: ['/**/card'], maxSize: '1KiB' } }, says(body));
      await assert.rejects(ask());
    }
  });

  it('passes where it is of another type, and does not where the file says so', async (t) => {
    const html = says('<p>4111</p>', { 'content-type': 'text/html' });
    assert.equal((await (await behind(t, options, html)).ask()).body.toString(), '<p>4111</p>');
    const strict = await behind(t, { response: { mask: ['/card'], otherTypes: 'refuse' } }, html);
    assert.equal((await strict.ask()).status, 502);
  });

  it('is read as JSON where nothing says what it is, or two things do', async (t) => {
    const untyped: Answer = (_, response) => response.end(CARD);
    assert.ok(!(await (await behind(t, options, untyped)).ask()).body.includes('4111'));
    const both: Answer = (_, response) => response.setHeader('content-type', ['text/html', 'application/json']).end(CARD);
    assert.ok(!(await (await behind(t, options, both)).ask()).body.includes('4111'));
  });

  it('has none for HEAD, 204 and 304', async (t) => {
    const { ask } = await behind(t, options, (request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { ...JSON_TYPE, 'content-length': '30' }).end();
      else response.writeHead(request.method === 'PUT' ? 204 : 304, { etag: '"1"' }).end();
    });
    const head = await ask({ method: 'HEAD' });
    assert.deepEqual([head.status, head.headers['content-length']], [200, undefined]);
    assert.equal((await ask({ method: 'PUT' })).status, 204);
    assert.deepEqual((({ status, headers }) => [status, headers['etag']])(await ask()), [304, 'W/"1"']);
  });
});

describe('edits in the file', () => {
  it('say what is wrong with them', () => {
    const problems = (options: string): readonly string[] =>
      filterProblems('jsonBody', options).map((text) => text.replace('routes[0].filters[0].jsonBody', ''));
    assert.match(problems('{}').join(), /at least one of request and response/);
    assert.match(problems('{ request: {} }').join(), /^\.request: nothing is to be changed; expected at least one of/);
    assert.match(
      problems('{ request: { remove: [email] } }').join(),
      /^\.request\.remove\[0\]: "email" is no JSON pointer; expected for example \/user\/email/,
    );
    assert.match(problems('{ request: { mask: ["/a~2"] } }').join(), /has a ~ that stands for nothing/);
    assert.match(problems('{ request: { mask: ["/a/**"] } }').join(), /ends with \*\*, which is every level/);
    assert.match(problems('{ request: { remove: [""] } }').join(), /the whole body cannot be removed/);
    assert.match(problems('{ request: { rename: [{ at: "/l/*", to: x }] } }').join(), /only a member can be renamed/);
    assert.match(
      problems('{ request: { set: [{ at: "/a", value: "${clams.sub}" }] } }').join(),
      /^\.request\.set\[0\]\.value: .*did you mean "\$\{claims\.NAME\}"/,
    );
    assert.match(problems('{ request: { set: [{ at: "/a", value: "${response.status}" }] } }').join(), /there is no response yet/);
  });
});
