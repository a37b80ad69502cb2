// Questions to the API server over a real connection: credentials that are refused, answers that are none, and streams that break where they should not.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { ApiFailure } from '../../../../agent/kubernetes/api.ts';
import type { Access, Credentials } from '../../../../agent/kubernetes/credentials.ts';
import { HttpApi } from '../../../../agent/kubernetes/http-api.ts';
import { JsonLines } from '../../../../agent/kubernetes/json-lines.ts';
import { systemClock } from '../../../../health/clock.ts';

const NO_TLS = { ca: null, cert: null, key: null, serverName: null, verify: true };

class Tokens implements Credentials {
  readonly #tokens: string[];
  constructor(...tokens: readonly string[]) {
    this.#tokens = [...tokens];
  }
  access(): Promise<Access> {
    return Promise.resolve({ authorization: `Bearer ${this.#tokens[0] ?? ''}`, tls: NO_TLS });
  }
  refused(): void {
    if (this.#tokens.length > 1) this.#tokens.shift();
  }
}

async function startApi(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  credentials: Credentials = new Tokens('good'),
): Promise<HttpApi> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const api = new HttpApi(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`), credentials, systemClock);
  t.after(async () => {
    await api.close();
    server.closeAllConnections();
    server.close();
  });
  return api;
}

const json = { 'content-type': 'application/json' };

test('a refused token is asked for anew, once, and the question is put again', async (t) => {
  const seen: string[] = [];
  const api = await startApi(
    t,
    ({ headers }, response) => {
      seen.push(headers.authorization ?? '');
      if (headers.authorization !== 'Bearer new') return void response.writeHead(401, json).end('{"message":"Unauthorized"}');
      response.writeHead(200, json).end('{"items":[]}');
    },
    new Tokens('old', 'new'),
  );
  assert.deepEqual(await api.get('/api/v1/nodes'), { ok: true, value: { items: [] } });
  assert.deepEqual(seen, ['Bearer old', 'Bearer new']);
});

test('a token that stays refused is asked with once, not in a circle', async (t) => {
  let asked = 0;
  const api = await startApi(t, (_request, response) => {
    asked += 1;
    response.writeHead(401, json).end('{"kind":"Status","message":"Unauthorized"}');
  });
  assert.deepEqual(await api.get('/x'), { ok: false, status: 401, problem: 'Unauthorized (401)', retryAfterMs: null });
  assert.equal(asked, 1);
});

test('what an answer says of waiting is told, within five minutes', async (t) => {
  let wait = '7';
  const api = await startApi(t, (_request, response) => void response.writeHead(429, { 'retry-after': wait }).end('Too many requests'));
  const retryAfter = async (): Promise<number | null> => ((await api.get('/x')) as ApiFailure).retryAfterMs;
  assert.equal(await retryAfter(), 7000);
  wait = '86400';
  assert.equal(await retryAfter(), 300_000);
  wait = 'soon';
  assert.equal(await retryAfter(), null);
});

test('plain words are an answer, half a document is none, and the path of the server goes before', async (t) => {
  let path = '';
  const api = await startApi(t, ({ url = '' }, response) => {
    path = url;
    if (url.endsWith('/readyz')) response.end('ok');
    else response.writeHead(200, json).end('{"items":[');
  });
  assert.deepEqual(await api.get('/readyz'), { ok: true, value: 'ok' });
  assert.equal(path, '/prefix/readyz');
  assert.equal(((await api.get('/half')) as ApiFailure).status, 0);
});

describe('a stream', () => {
  interface Heard {
    readonly lines: unknown[];
    opened: boolean;
    readonly ended: Promise<ApiFailure | null>;
    stop: () => void;
  }

  function listen(api: HttpApi): Heard {
    const { promise, resolve } = Promise.withResolvers<ApiFailure | null>();
    const lines: unknown[] = [];
    const heard: Heard = { lines, opened: false, ended: promise, stop: () => undefined };
    heard.stop = api.stream('/watch', {
      onOpen: () => (heard.opened = true),
      onLine: (value) => lines.push(value),
      onEnd: resolve,
    });
    return heard;
  }

  test('brings documents however they are cut, and ends in order', async (t) => {
    const api = await startApi(t, (_request, response) => {
      response.writeHead(200, json);
      response.write('{"a":"ä');
      response.write('"}\n\n{"b"');
      response.end(':2}\n{"c":3}\n');
    });
    const heard = listen(api);
    assert.equal(await heard.ended, null);
    assert.deepEqual(heard.lines, [{ a: 'ä' }, { b: 2 }, { c: 3 }]);
  });

  test('that ends within a line, or has a line that is no JSON, has failed', async (t) => {
    for (const text of ['{"a":1}\n{"half":', '{"a":1}\n<html>\n']) {
      const api = await startApi(t, (_request, response) => void response.writeHead(200, json).end(text));
      const heard = listen(api);
      assert.equal((await heard.ended)?.status, 0, text);
      assert.deepEqual(heard.lines, [{ a: 1 }]);
    }
  });

  test('whose connection breaks has failed', async (t) => {
    const api = await startApi(t, (_request, response) => {
      response.writeHead(200, json).write('{"a":1}\n');
      setTimeout(() => response.destroy(), 20);
    });
    assert.equal((await listen(api).ended)?.status, 0);
  });

  test('that is refused says why', async (t) => {
    const api = await startApi(t, (_request, response) => void response.writeHead(410, json).end('{"message":"too old resource version"}'));
    const heard = listen(api);
    assert.deepEqual(await heard.ended, { ok: false, status: 410, problem: 'too old resource version (410)', retryAfterMs: null });
    assert.equal(heard.opened, false);
  });

  test('that is stopped lets go of its connection and says nothing more', async (t) => {
    const { promise: closed, resolve } = Promise.withResolvers<undefined>();
    const { promise: opened, resolve: open } = Promise.withResolvers<undefined>();
    const api = await startApi(t, (_request, response) => {
      response.writeHead(200, json).write('{"a":1}\n');
      response.on('close', () => resolve(undefined));
      open(undefined);
    });
    const heard = listen(api);
    await opened;
    heard.stop();
    await closed;
  });
});

test('a line without an end is not kept for ever', () => {
  const lines = new JsonLines();
  const piece = Buffer.alloc(1024 * 1024, 'x');
  assert.throws(() => {
    for (let n = 0; n < 9; n += 1) assert.deepEqual([...lines.push(piece)], []);
  }, /a line of more than 8388608 bytes/);
});

test('those that write get every answer as it is, and a patch is a merge patch', async (t) => {
  const seen: (string | undefined)[] = [];
  const api = await startApi(t, ({ method, headers }, response) => {
    seen.push(method, headers['content-type']);
    response.writeHead(409, json).end('{"message":"conflict"}');
  });
  const { signal } = new AbortController();
  assert.deepEqual(await api.request('PATCH', '/x', { spec: {} }, signal), { status: 409, body: { message: 'conflict' } });
  assert.deepEqual(seen, ['PATCH', 'application/merge-patch+json']);
});
