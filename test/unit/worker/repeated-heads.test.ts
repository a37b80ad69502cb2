// Heads that repeat on a connection are put together once; what belongs to one message never shows in another.
import assert from 'node:assert/strict';
import { connect as connectH2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { Agent, request as requestPlain } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';

type Heads = Readonly<Record<string, string>>;

/** Sends one request after the other on one connection; returns the fields and the body of each answer. */
type Client = (path: string, fields: Heads) => Promise<{ readonly fields: IncomingHttpHeaders; readonly body: string }>;

function plainClient(t: TestContext, port: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (path, headers) => {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Client>>>();
    const request = requestPlain({ port, host: '127.0.0.1', path, headers, agent }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (piece: string) => (body += piece));
      response.on('end', () => resolve({ fields: response.headers, body }));
    });
    request.on('error', reject).end();
    return promise;
  };
}

function http2Client(t: TestContext, port: number): Client {
  const session: ClientHttp2Session = connectH2(`http://127.0.0.1:${port}`);
  // The proxy may close first when the test is over.
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  return (path, headers) => {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Client>>>();
    const stream = session.request({ ':path': path, ...headers });
    let body = '';
    let fields: IncomingHttpHeaders = {};
    stream.on('response', (head) => (fields = head)).on('error', reject);
    stream.setEncoding('latin1').on('data', (piece: string) => (body += piece));
    stream.on('end', () => resolve({ fields, body }));
    stream.end();
    return promise;
  };
}

/** Tells the request's fields in the body, and says the same of itself each time. */
const ANSWER = { 'content-type': 'application/json', 'x-origin': 'one' };

async function plainOrigin(t: TestContext): Promise<string> {
  const answer = (request: { readonly headers: IncomingHttpHeaders }): string => JSON.stringify(request.headers);
  return (await startOrigin(t, (request, response) => void response.writeHead(200, ANSWER).end(answer(request)))).endpoint;
}

async function http2Origin(t: TestContext): Promise<string> {
  const { endpoint } = await startH2Origin(t, ({ stream, headers }) => {
    stream.respond({ ':status': 200, ...ANSWER });
    stream.end(JSON.stringify(headers));
  });
  return endpoint;
}

const WAYS = [
  { name: 'HTTP/1.1 to HTTP/1.1', client: plainClient, origin: plainOrigin },
  { name: 'HTTP/1.1 to HTTP/2', client: plainClient, origin: http2Origin },
  { name: 'HTTP/2 to HTTP/1.1', client: http2Client, origin: plainOrigin },
  { name: 'HTTP/2 to HTTP/2', client: http2Client, origin: http2Origin },
];

for (const { name, client, origin } of WAYS) {
  describe(`heads that repeat, ${name}`, () => {
    it('have an id of their own each, and all that is theirs', async (t) => {
      const proxy = await startProxy(t, { endpoints: [await origin(t)], listener: { http2: { enabled: true } } });
      const ask = client(t, proxy.port);
      const ids = new Set<unknown>();
      for (const [index, mine] of ['a', 'a', 'b', 'a', 'a', 'b', 'b'].entries()) {
        const { fields, body } = await ask(`/${index}?q=${mine}`, { 'x-mine': mine, cookie: `who=${mine}` });
        const seen = JSON.parse(body) as Record<string, unknown>;
        assert.deepEqual([seen['x-mine'], seen['cookie'], seen['x-forwarded-for']], [mine, `who=${mine}`, '127.0.0.1']);
        assert.deepEqual([fields['x-origin'], fields['content-type']], ['one', 'application/json']);
        ids.add(seen['x-request-id']);
      }
      assert.equal(ids.size, 7);
    });

    it('are edited by filters one by one', async (t) => {
      const edits = { headers: { request: { add: { 'x-added': 'once' } }, response: { add: { 'x-told': 'once' } } } };
      const proxy = await startProxy(t, {
        endpoints: [await origin(t)],
        listener: { http2: { enabled: true } },
        route: { filters: [edits] },
      });
      const ask = client(t, proxy.port);
      for (let round = 0; round < 4; round += 1) {
        const { fields, body } = await ask('/', { 'x-mine': 'a' });
        assert.equal((JSON.parse(body) as Record<string, unknown>)['x-added'], 'once');
        assert.equal(fields['x-told'], 'once');
      }
    });
  });
}
