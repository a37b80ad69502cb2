// Requests that cost what an expression makes of them, and what their answers tell: in the head, behind the body, and not for what comes from memory.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it, test, type TestContext } from 'node:test';
import { costOf, problemOfCost, toldCost } from '../../../../balancer/filter/rate-limit/cost.ts';
import { aFilterEnvironment } from '../../../support/filter-environment.ts';
import { problemsWithParts } from '../../../support/filter-options.ts';
import { startOrigin } from '../../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../../support/proxy.ts';
import { aRequest } from '../../../support/request.ts';
import { until } from '../../../support/until.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** As many tokens as the path says. */
const telling: Answer = (request, response) => {
  const tokens = /tokens=(\d+)/.exec(request.url ?? '')?.[1];
  if (tokens !== undefined) response.setHeader('x-tokens', tokens);
  response.end('served');
};

interface Options {
  readonly cost: object;
  readonly limit?: object;
  readonly answer?: Answer;
  readonly filters?: readonly object[];
}

/** The controller is away: the worker counts alone, as a controller would for it. */
async function limited(t: TestContext, { cost, limit = {}, answer = telling, filters = [] }: Options): Promise<Proxy> {
  const origin = await startOrigin(t, answer);
  const parts = { limits: { units: { allow: 100, algorithm: 'fixed', ...limit } } };
  const route = { filters: [{ addressLimit: { limits: ['units'], ...cost } }, ...filters] };
  return startProxy(t, { endpoints: [origin.endpoint], parts, route });
}

async function statuses(proxy: Proxy, targets: readonly string[], init: RequestInit = {}): Promise<readonly number[]> {
  const all: number[] = [];
  for (const target of targets) {
    const { status, body } = await fetch(new URL(target, proxy.url), init);
    await body?.pipeTo(new WritableStream());
    all.push(status);
  }
  return all;
}

describe('by an expression a request costs', () => {
  it('what that makes of it', async (t) => {
    const proxy = await limited(t, { cost: { costExpression: 'request.method == "POST" ? 60 : 10' } });
    assert.deepEqual(await statuses(proxy, ['/'], { method: 'POST' }), [200]);
    assert.deepEqual(await statuses(proxy, ['/'], { method: 'POST' }), [429]);
    assert.deepEqual(await statuses(proxy, ['/', '/', '/', '/', '/']), [200, 200, 200, 200, 429]);
  });

  it('what a field says, and the most where it says nothing that is one', async (t) => {
    const proxy = await limited(t, { cost: { costExpression: 'int(request.headers["x-units"])', mostCost: 50 } });
    const units = (value: string): Promise<readonly number[]> => statuses(proxy, ['/'], { headers: { 'x-units': value } });
    assert.deepEqual([await units('30'), await units('-70'), await units('many'), await units('20')], [[200], [200], [200], [200]]);
    assert.deepEqual([await units('1'), await statuses(proxy, ['/'])], [[429], [429]]);
    await until(() => countOf(proxy, 'weir_condition_failures_total', 'all', 'missing') === 1, 'that it has no value is counted');
  });

  it('what the dearest reading of its path and method does, in whole numbers', () => {
    const byPath = costOf('request.path.startsWith("/reports") ? 50 : 1', 100, aFilterEnvironment()) ?? assert.fail();
    assert.deepEqual([byPath(aRequest({ path: '/a' })), byPath(aRequest({ path: '/reports/1' }))], [1, 50]);
    assert.equal(byPath(aRequest({ path: '//reports/1', pathDoubts: 1 })), 50);
    const byMethod = costOf('request.method == "POST" ? 2.1 : 0.5', 100, aFilterEnvironment()) ?? assert.fail();
    assert.deepEqual([byMethod(aRequest()), byMethod(aRequest({ otherMethods: ['POST'] }))], [1, 3]);
    const bySize = costOf('request.size * 1000', 100, aFilterEnvironment()) ?? assert.fail();
    assert.deepEqual([bySize(aRequest({ bodyLength: 1 })), bySize(aRequest({ bodyLength: -1 }))], [100, 0]);
  });
});

describe('what an answer tells', () => {
  const costFromAnswer = { field: 'X-Tokens' };

  it('in its head is what it says is left after it', async (t) => {
    const proxy = await limited(t, { cost: { costFromAnswer } });
    const { headers } = await fetch(new URL('/?tokens=60', proxy.url));
    assert.deepEqual([headers.get('x-tokens'), /r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]], [null, '40']);
  });

  it('behind its body is counted when it is complete, and the client does not see it', async (t) => {
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { trailer: 'x-tokens' });
      response.write('a part');
      response.addTrailers({ 'x-tokens': '99' });
      response.end('and the rest');
    };
    const proxy = await limited(t, { cost: { costFromAnswer }, answer });
    assert.deepEqual(await statuses(proxy, ['/', '/', '/']), [200, 200, 429]);
  });

  it('is all that is counted where a request costs nothing before', async (t) => {
    const proxy = await limited(t, { cost: { cost: 0, costFromAnswer } });
    assert.deepEqual(await statuses(proxy, ['/?tokens=0', '/', '/?tokens=99', '/?tokens=1', '/']), [200, 200, 200, 200, 429]);
  });

  it('is paid by the request that the service answered, not by those that get the same from the cache', async (t) => {
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=60', 'x-tokens': '50' });
      response.end('kept');
    };
    const proxy = await limited(t, { cost: { costFromAnswer }, answer, filters: [{ cache: {} }] });
    assert.deepEqual(
      await statuses(
        proxy,
        Array.from({ length: 40 }, () => '/'),
      ),
      Array.from({ length: 40 }, () => 200),
    );
  });

  it('is counted in the shadow too, and refuses nobody', async (t) => {
    const proxy = await limited(t, { limit: { shadow: true }, cost: { cost: 60, costFromAnswer } });
    assert.deepEqual(await statuses(proxy, ['/?tokens=500', '/', '/']), [200, 200, 200]);
    await until(() => countOf(proxy, 'weir_rate_limited_total', 'units', 'shadow') === 2, 'it is counted');
  });

  it('is no number, or stands there twice: nothing', () => {
    const of = (...values: readonly string[]): number | null =>
      toldCost(
        values.flatMap((value) => ['x-tokens', value]),
        'x-tokens',
      );
    assert.deepEqual([of(), of('12'), of('0'), of('5', '7')], [null, 12, 0, null]);
    for (const value of ['', '-1', '1.5', '1e3', '0x10', '1,2', 'NaN', '1'.repeat(10)]) assert.equal(of(value), null, value);
  });
});

test('files with costs that mean nothing are refused', () => {
  const problems = (options: string, filter = 'rateLimit'): string =>
    problemsWithParts(filter, `{ limits: [few], ${options} }`, 'limits: { few: { allow: 10, by: [address] } }').join('\n');
  assert.match(problems('cost: 0'), /cost: nothing is counted/);
  assert.match(problems('cost: 2, costExpression: "1"'), /cost: costExpression says what a request costs; leave one of them out/);
  assert.match(
    problems('costExpression: "request.method"'),
    /costExpression: at character 1, .*: expected a number, and this is a string; int\(…\)/,
  );
  assert.match(problems('costExpression: "claims.units"'), /nothing says that this is a number; say which kind it is: int\(…\)/);
  assert.equal(problems('costExpression: "int(claims.units)"'), '');
  assert.match(problems('costExpression: "int(claims.units)"', 'addressLimit'), /there is no "claims"/);
  assert.equal(problemOfCost('int(request.query.units)', true), null);
});
