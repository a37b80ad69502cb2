// Traces through a real worker to a real collector: which requests are told of, what is said of them, and what clusters hear.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { startCollector, type Collector } from '../../support/collector.ts';
import { startOrigin, type Answer, type Origin } from '../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TRUSTING = { trustedPeers: ['127.0.0.0/8'] };

interface Bench {
  readonly collector: Collector;
  readonly origin: Origin;
  readonly proxy: Proxy;
}

interface BenchOptions {
  readonly tracing?: object;
  readonly listener?: object;
  readonly answer?: Answer;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly service?: Readonly<Record<string, unknown>>;
  readonly moreEndpoints?: readonly string[];
}

async function start(t: TestContext, options: BenchOptions = {}): Promise<Bench> {
  const collector = await startCollector(t);
  const origin = await startOrigin(t, options.answer ?? ((_request, response) => response.end('ok')));
  const tracing = { export: { url: collector.url }, sample: '100%', ...options.tracing };
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint, ...(options.moreEndpoints ?? [])],
    parts: { tracing },
    ...(options.listener === undefined ? {} : { listener: { ...options.listener } }),
    ...(options.cluster === undefined ? {} : { cluster: options.cluster }),
    ...(options.service === undefined ? {} : { service: options.service }),
    route: { match: { path: '/' } },
  });
  return { collector, origin, proxy };
}

const get = async ({ proxy }: Bench, path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
  const answer = await fetch(`${proxy.url}${path}`, { headers });
  await answer.text();
  return answer.status;
};

const parentOf = (request: IncomingMessage | undefined): readonly string[] => String(request?.headers['traceparent'] ?? '').split('-');

describe('a request that is traced', () => {
  it('is a span with its attempt below it, which the cluster goes on with', async (t) => {
    const bench = await start(t, { tracing: { attributes: { 'deployment.environment.name': 'test' } } });
    await get(bench, '/tea?secret=1', { 'user-agent': 'kettle/1' });
    const [request, attempt] = await bench.collector.untilSpans(2);
    assert.ok(request !== undefined && attempt !== undefined);
    assert.deepEqual([request.kind, request.name, request.parentSpanId, request.status], [2, 'GET /', undefined, 0]);
    const { attributes } = request;
    assert.equal(attributes['http.request.method'], 'GET');
    assert.equal(attributes['url.path'], '/tea');
    assert.equal(attributes['http.response.status_code'], 200);
    assert.equal(attributes['http.response.body.size'], 2);
    assert.equal(attributes['user_agent.original'], 'kettle/1');
    assert.equal(attributes['server.address'], '127.0.0.1');
    assert.equal(attributes['server.port'], bench.proxy.port);
    assert.equal(attributes['client.address'], '127.0.0.1');
    assert.deepEqual(
      [attributes['weir.route'], attributes['weir.service'], attributes['weir.version'], attributes['weir.cluster']],
      ['all', 'shop', 'blue', 'one'],
    );
    assert.ok(!JSON.stringify(bench.collector.spans).includes('secret'), 'a query is not told');
    assert.deepEqual([attempt.kind, attempt.parentSpanId, attempt.traceId], [3, request.spanId, request.traceId]);
    assert.equal(attempt.attributes['server.port'], bench.origin.port);
    assert.equal(attempt.attributes['url.full'], `${bench.origin.endpoint}/tea`);
    assert.ok(request.startMs <= attempt.startMs && attempt.startMs < attempt.endMs && attempt.endMs <= request.endMs);
    assert.ok(Math.abs(request.endMs - Date.now()) < 60_000, 'times are of the day');
    assert.deepEqual(parentOf(bench.origin.requests[0]), ['00', request.traceId, attempt.spanId, '01']);
    assert.deepEqual([bench.collector.resource['service.name'], bench.collector.resource['deployment.environment.name']], ['weir', 'test']);
  });

  it('has a span for each attempt, and the one that failed says why', async (t) => {
    let arrivals = 0;
    const answer: Answer = (request, response) => {
      arrivals += 1;
      if (arrivals === 1) request.socket.destroy();
      else response.end('ok');
    };
    const other = await startOrigin(t, answer);
    const bench = await start(t, { answer, moreEndpoints: [other.endpoint], service: { retries: { attempts: 2 } } });
    assert.equal(await get(bench, '/tea'), 200);
    await bench.collector.untilSpans(3);
    const failed = bench.collector.spans.find(({ attributes }) => attributes['error.type'] === 'connection_reset');
    const ofTrace = bench.collector.spans.filter(({ traceId }) => traceId === failed?.traceId);
    const request = ofTrace.find(({ kind }) => kind === 2);
    assert.ok(failed !== undefined && request !== undefined);
    assert.deepEqual([failed.status, request.status, request.attributes['weir.attempts']], [2, 0, 2]);
    const second = ofTrace.find(({ attributes }) => attributes['http.request.resend_count'] === 1);
    assert.ok(second !== undefined);
    assert.equal(second.attributes['http.response.status_code'], 200);
    assert.deepEqual([failed.parentSpanId, second.parentSpanId], [request.spanId, request.spanId]);
  });

  it('says by what it was answered where no cluster was asked', async (t) => {
    const collector = await startCollector(t);
    const origin = await startOrigin(t, (_request, response) => response.end('ok'));
    const parts = { tracing: { export: { url: collector.url }, sample: '100%' } };
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], parts, route: { match: { path: '/tea' } } });
    assert.equal(await get({ collector, origin, proxy }, '/coffee'), 404);
    const [request] = await collector.untilSpans(1);
    assert.deepEqual([request?.name, request?.attributes['error.type'], request?.status], ['GET', 'route_not_found', 0]);
  });
});

describe('a trace that a client brings', () => {
  const parent = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'rojo=1', baggage: 'user=7' };

  it('goes on where the peer is trusted, with its state and its decision', async (t) => {
    const bench = await start(t, { listener: TRUSTING, tracing: { sample: '0%' } });
    await get(bench, '/tea', parent);
    const [request, attempt] = await bench.collector.untilSpans(2);
    assert.deepEqual([request?.traceId, request?.parentSpanId, request?.traceState], [TRACE, SPAN, 'rojo=1']);
    const { headers } = bench.origin.requests[0] ?? {};
    assert.deepEqual(parentOf(bench.origin.requests[0]), ['00', TRACE, attempt?.spanId, '01']);
    assert.deepEqual([headers?.['tracestate'], headers?.['baggage']], ['rojo=1', 'user=7']);
  });

  it('is not kept where the caller does not keep it', async (t) => {
    const bench = await start(t, { listener: TRUSTING });
    await get(bench, '/not', { traceparent: `00-${TRACE}-${SPAN}-00` });
    await get(bench, '/kept');
    await bench.collector.untilSpans(2);
    assert.equal(bench.collector.ofPath('/not'), undefined);
    assert.deepEqual([parentOf(bench.origin.requests[0])[1], parentOf(bench.origin.requests[0])[3]], [TRACE, '00']);
  });

  it('begins anew for a stranger, with a link, and nothing of theirs goes on', async (t) => {
    const bench = await start(t);
    await get(bench, '/tea', parent);
    const [request] = await bench.collector.untilSpans(2);
    assert.ok(request !== undefined);
    assert.notEqual(request.traceId, TRACE);
    assert.equal(request.parentSpanId, undefined);
    assert.deepEqual(request.links, [{ traceId: TRACE, spanId: SPAN }]);
    const { headers } = bench.origin.requests[0] ?? {};
    assert.deepEqual(
      [parentOf(bench.origin.requests[0])[1], headers?.['tracestate'], headers?.['baggage']],
      [request.traceId, undefined, undefined],
    );
  });

  it('begins anew where it is none', async (t) => {
    const bench = await start(t, { listener: TRUSTING });
    await get(bench, '/tea', { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01`, tracestate: 'rojo=1' });
    const [request] = await bench.collector.untilSpans(2);
    assert.deepEqual([request?.parentSpanId, request?.traceState, request?.links], [undefined, undefined, []]);
    assert.equal(bench.origin.requests[0]?.headers['tracestate'], undefined);
  });
});

describe('requests that no sample chose', () => {
  it('are kept when they fail or are slow, and clusters were told that they are not', async (t) => {
    const bench = await start(t, {
      tracing: { sample: '0%', keep: { slowerThan: '150ms' } },
      answer: ({ url }, response) => {
        if (url === '/slow') setTimeout(() => response.end('late'), 300);
        else response.writeHead(url === '/bad' ? 500 : url === '/wrong' ? 404 : 200).end();
      },
    });
    for (const path of ['/fine', '/wrong', '/bad', '/slow']) await get(bench, path);
    await bench.collector.untilSpans(4);
    assert.deepEqual([bench.collector.ofPath('/fine'), bench.collector.ofPath('/wrong')], [undefined, undefined]);
    const bad = bench.collector.ofPath('/bad');
    assert.deepEqual([bad?.status, bad?.attributes['weir.kept_by'], bad?.attributes['error.type']], [2, 'error', '500']);
    assert.equal(bench.collector.ofPath('/slow')?.attributes['weir.kept_by'], 'time');
    const told = bench.origin.requests.find(({ url }) => url === '/bad');
    assert.deepEqual([parentOf(told)[1], parentOf(told)[3]], [bad?.traceId, '00']);
  });

  it('are no more than so many a second', async (t) => {
    const bench = await start(t, {
      tracing: { sample: '0%', keep: { perSecond: 1 } },
      answer: (_request, response) => response.writeHead(500).end(),
    });
    const beganMs = performance.now();
    for (let count = 0; count < 20; count += 1) await get(bench, '/bad');
    const seconds = Math.ceil((performance.now() - beganMs) / 1000);
    const spans = await bench.collector.untilSpans(2);
    assert.ok(spans.filter(({ kind }) => kind === 2).length <= seconds + 1, `${spans.length} spans in ${seconds} s`);
  });
});

describe('a collector', () => {
  it('that is overloaded gets the spans again, and none is lost', async (t) => {
    const bench = await start(t);
    bench.collector.answer = { status: 503, fields: { 'retry-after': '0' } };
    await get(bench, '/tea');
    await until(() => bench.collector.batches > 0, 'a batch that is refused', 10_000);
    bench.collector.answer = { status: 200 };
    await bench.collector.untilSpans(2);
    await until(() => countOf(bench.proxy, 'weir_trace_spans_total', 'exported') === 2, 'the count of what was exported');
  });

  it('that wants none of them has none again, and that is counted', async (t) => {
    const bench = await start(t);
    bench.collector.answer = { status: 400 };
    await get(bench, '/tea');
    await until(() => countOf(bench.proxy, 'weir_trace_spans_total', 'rejected') === 2, 'the count of what was rejected', 10_000);
    assert.equal(bench.collector.batches, 1);
  });

  it('gets what waits when the worker ends', async (t) => {
    const bench = await start(t);
    await get(bench, '/tea');
    bench.proxy.drain(1000);
    await bench.proxy.drained;
    assert.equal(bench.collector.spans.length, 2);
  });
});

describe('without tracing', () => {
  it('what a client says of its trace is passed on as it is', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end('ok'));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    await (await fetch(proxy.url, { headers: { traceparent: 'anything', baggage: 'user=7' } })).text();
    const { headers } = origin.requests[0] ?? {};
    assert.deepEqual([headers?.['traceparent'], headers?.['baggage']], ['anything', 'user=7']);
  });
});
