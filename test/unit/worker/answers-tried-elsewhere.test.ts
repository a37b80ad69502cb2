// An answer whose status the service names is tried in another place, and delivered as it came when nothing better is found.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startOrigin, startRawOrigin, type Answer } from '../../support/origin.ts';
import { reported, startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const LARGE = 'x'.repeat(3_000_000);

const refuse =
  (body = 'come later', fields: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(503, { 'x-from': 'one', ...fields }).end(body);

/** Behind places `one` and `two`, all requests first at `one`. */
async function front(t: TestContext, endpoints: readonly string[], second: readonly string[], service: object = {}): Promise<Proxy> {
  const clusters = { two: { endpoints: second, health: 'none' } };
  const versions = { blue: { clusters: second.length === 0 ? { one: {} } : { one: { priority: 0 }, two: { priority: 1 } } } };
  return startProxy(t, {
    endpoints,
    ...(second.length === 0 ? {} : { clusters }),
    service: { versions, steer: { policy: 'priority' }, retries: { on: [503] }, timeouts: { try: 0 }, ...service },
  });
}

const answers =
  (respond: (response: ServerResponse) => void): Answer =>
  (request, response) =>
    void request.resume().on('end', () => respond(response));
const says = (text: string): Answer => answers((response) => response.end(text));

describe('an answer with a status of retries.on', { concurrency: true }, () => {
  it('gives way to a better one from another cluster, and each counts once as evidence', async (t) => {
    const one = await startOrigin(t, answers(refuse()));
    const two = await startOrigin(t, says('two'));
    const proxy = await front(t, [one.endpoint], [two.endpoint]);
    for (let count = 1; count <= 4; count += 1) assert.equal(await (await fetch(proxy.url)).text(), 'two');
    assert.equal(one.requests.length, 4);
    assert.ok(!proxy.said.some(({ type }) => type === 'ejection'), 'four bad answers are below the limit of five');
    await (await fetch(proxy.url)).text();
    const ejected = (): boolean => proxy.said.some((said) => said.type === 'ejection' && said.ejection.kind === 'target');
    await until(ejected, 'the fifth takes the version out there');
    await until(() => reported(proxy, 'weir_retries_total', /retried/) === 5, 'the retries are counted', 5000);
  });

  it('is delivered as it came when there is no other place, no room, or no other try', async (t) => {
    const one = await startOrigin(t, answers(refuse(LARGE)));
    const two = await startOrigin(t, says('two'));
    const fronts = [
      await front(t, [one.endpoint], []),
      await front(t, [one.endpoint], [two.endpoint], { retries: { on: [503], budget: '0%', budgetMin: 0 } }),
      await front(t, [one.endpoint], [two.endpoint], { retries: { on: [503], attempts: 0 } }),
      await front(t, [one.endpoint], [two.endpoint], { retries: { on: [502] } }),
    ];
    for (const { url } of fronts) {
      const answer = await fetch(url);
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('x-from'), 'one');
      assert.equal(await answer.text(), LARGE);
    }
    assert.equal(two.requests.length, 0);
  });

  it('is delivered whole, with its trailers, when the other attempt fails', async (t) => {
    for (const body of ['short', LARGE]) {
      const one = await startOrigin(
        t,
        answers((response) => {
          response.writeHead(503, { trailer: 'x-sum', 'x-from': 'one' });
          response.write(body);
          response.addTrailers({ 'x-sum': '42' });
          response.end();
        }),
      );
      const two = await startRawOrigin(t, ({ socket }) => void socket.resetAndDestroy());
      const proxy = await front(t, [one.endpoint], [two.endpoint]);
      const client = await connectRaw(t, proxy.port);
      client.send('GET / HTTP/1.1\r\nHost: shop.example\r\nTE: trailers\r\n\r\n');
      const answer = await client.untilText('x-sum: 42\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 503 /);
      assert.match(answer, /x-from: one/);
      assert.equal(
        answer
          .slice(answer.indexOf('\r\n\r\n'))
          .replaceAll(/[0-9a-f]+\r\n|\r\n/g, '')
          .includes(body),
        true,
      );
      assert.equal(two.connections.length, 1);
    }
  });

  it('goes the same way over HTTP/2', async (t) => {
    for (const body of ['short', LARGE]) {
      const one = await startH2Origin(t, ({ stream }) => {
        stream.respond({ ':status': 503, 'x-from': 'one' });
        stream.end(body);
      });
      const two = await startH2Origin(t, ({ stream, headers }) => {
        if (headers[':path'] === '/fails') return stream.close(2);
        stream.respond({ ':status': 200 });
        stream.end('two');
      });
      const proxy = await front(t, [one.endpoint], [two.endpoint]);
      assert.equal(await (await fetch(proxy.url)).text(), 'two');
      const kept = await fetch(`${proxy.url}/fails`);
      assert.equal(kept.status, 503);
      assert.equal(await kept.text(), body);
      assert.equal(one.sessions.size, 1, 'a dropped answer costs a stream and no connection');
    }
  });

  it('is the last one, where all places give such answers', async (t) => {
    const one = await startOrigin(t, answers(refuse()));
    const two = await startOrigin(
      t,
      answers((response) => void response.writeHead(503).end('two is full')),
    );
    const proxy = await front(t, [one.endpoint], [two.endpoint]);
    assert.equal(await (await fetch(proxy.url)).text(), 'two is full');
    assert.equal(one.requests.length + two.requests.length, 2);
  });

  it('is tried at another endpoint of its cluster, unless it says when to come again', async (t) => {
    const full = await startOrigin(t, (request, response) => {
      refuse('', request.url === '/wait' ? { 'retry-after': '3' } : {})(response);
    });
    const free = await startOrigin(t, says('free'));
    const proxy = await startProxy(t, {
      endpoints: [full.endpoint, free.endpoint],
      cluster: { balance: 'round-robin' },
      service: { retries: { on: [503] }, timeouts: { try: 0 } },
    });
    const statuses = async (path: string): Promise<number[]> => {
      const seen: number[] = [];
      for (let count = 0; count < 4; count += 1) {
        const answer = await fetch(proxy.url + path);
        await answer.text();
        seen.push(answer.status);
      }
      return seen;
    };
    assert.deepEqual(await statuses('/'), [200, 200, 200, 200]);
    assert.ok(full.requests.length > 0);
    assert.ok((await statuses('/wait')).includes(503));
  });

  it('with Retry-After goes to another cluster', async (t) => {
    const one = await startOrigin(t, answers(refuse('', { 'retry-after': '3' })));
    const more = await startOrigin(t, answers(refuse('', { 'retry-after': '3' })));
    const two = await startOrigin(t, says('two'));
    const proxy = await front(t, [one.endpoint, more.endpoint], [two.endpoint]);
    assert.equal(await (await fetch(proxy.url)).text(), 'two');
    assert.equal(one.requests.length + more.requests.length, 1);
  });

  it('is final for a method that must not be sent twice; a kept body goes again', async (t) => {
    const bodies: string[] = [];
    const one = await startOrigin(t, answers(refuse()));
    const two = await startOrigin(t, (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.end('two');
      });
    });
    const proxy = await front(t, [one.endpoint], [two.endpoint]);
    assert.equal((await fetch(proxy.url, { method: 'POST', body: 'once' })).status, 503);
    assert.equal((await fetch(proxy.url, { method: 'PUT', body: 'again' })).status, 200);
    assert.deepEqual(bodies, ['again']);
  });

  it('is given up with the request when the client leaves', async (t) => {
    const left = Promise.withResolvers<undefined>();
    const arrived = Promise.withResolvers<undefined>();
    const one = await startOrigin(t, (request, response) => {
      response.on('close', () => left.resolve(undefined));
      answers(refuse(LARGE))(request, response);
    });
    const two = await startOrigin(t, () => arrived.resolve(undefined));
    const proxy = await front(t, [one.endpoint], [two.endpoint]);
    const client = await connectRaw(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
    await arrived.promise;
    client.socket.destroy();
    await left.promise;
    await until(() => proxy.gauge('weir_requests_in_flight') === 0, 'nothing is in work', 5000);
  });
});
