// Gates that ask: what an answer says, and when a row of answers is a verdict.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskedGateConfig } from '../../../balancer/config/gate-config.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import { questionOf, readAnswer, readGate } from '../../../balancer/rollout/gates/registry.ts';
import type { GateAtWork, Judgement, Reading } from '../../../balancer/rollout/gate.ts';

const ABOUT = { service: 'shop', version: 'green' };
const BELOW_FIVE = { above: null, below: 5 };
const byStatus = gate({
  kind: 'http',
  url: 'https://checks.internal/$service?of=$version',
  statuses: [{ from: 200, to: 204 }],
  value: null,
});
const byValue = gate(
  { kind: 'http', url: 'https://checks.internal', statuses: [{ from: 200, to: 299 }], value: '/a~1b/0/m~0n' },
  BELOW_FIVE,
);
const promql = gate({ kind: 'prometheus', url: 'http://prometheus.internal/prod/', query: 'errors{v="$version"} > bool 0' }, BELOW_FIVE);

test('the names of service and version stand in URL and expression, and the expression is escaped', () => {
  assert.equal(questionOf(byStatus, ABOUT), 'https://checks.internal/shop?of=green');
  const asked = new URL(questionOf(promql, ABOUT));
  assert.equal(asked.pathname, '/prod/api/v1/query');
  assert.equal(asked.searchParams.get('query'), 'errors{v="green"} > bool 0');
});

test('a status is the verdict, except one that says that nobody looked', () => {
  assert.equal(verdict(byStatus, 204, ''), 'pass');
  assert.equal(verdict(byStatus, 500, ''), 'fail');
  assert.equal(verdict(byStatus, 302, ''), 'fail');
  for (const status of [401, 403, 429, 502, 503, 504]) assert.equal(verdict(byStatus, status, ''), 'insufficient', String(status));
});

test('a number at its place in the answer is held against the bounds; whatever is no number says nothing', () => {
  assert.equal(verdict(byValue, 200, '{"a/b":[{"m~n":4.99}]}'), 'pass');
  assert.equal(verdict(byValue, 200, '{"a/b":[{"m~n":5}]}'), 'fail');
  for (const body of ['{"a/b":[{"m~n":"4"}]}', '{"a/b":[{}]}', '{"a/b":[]}', 'null', '', '<html>'])
    assert.equal(verdict(byValue, 200, body), 'insufficient', body);
  assert.equal(verdict(byValue, 500, '{"a/b":[{"m~n":9}]}'), 'insufficient', 'a figure of an answer that failed is none');
  assert.equal(readAnswer(byValue, { status: 200, body: '{"a/b":[{"m~n":7}]}' }).says, '7, right is below 5');
});

test('a scalar and every element of an instant vector have to be good', () => {
  assert.equal(verdict(promql, 200, answer('scalar', [1, '4'])), 'pass');
  assert.equal(verdict(promql, 200, answer('vector', [series('1'), series('2')])), 'pass');
  assert.equal(verdict(promql, 200, answer('vector', [series('1'), series('NaN'), series('6')])), 'fail');
  assert.equal(verdict(promql, 200, answer('vector', [series('+Inf')])), 'fail');
  assert.equal(verdict(promql, 200, answer('vector', [series('-Inf')])), 'pass');
  const said = readAnswer(promql, { status: 200, body: answer('vector', [series('1'), series('6')]) }).says;
  assert.equal(said, '6, right is below 5 (of 2 series)');
});

test('an empty result, NaN, a range, an error and what is no answer of Prometheus say nothing', () => {
  const silent: readonly (readonly [body: string, says: RegExp])[] = [
    [answer('vector', []), /the result is empty/],
    [answer('scalar', [1, 'NaN']), /NaN/],
    [answer('vector', [series('1'), series('NaN')]), /NaN .*of 2 series/],
    [answer('matrix', [{ metric: {}, values: [[1, '1']] }]), /gives a matrix; expected a scalar or an instant vector/],
    ['{"status":"error","errorType":"bad_data","error":"parse\\nerror"}', /Prometheus says bad_data: parse error/],
    ['{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}', /NaN/],
    ['<html>proxy</html>', /status 200, and no answer of Prometheus/],
  ];
  for (const [body, says] of silent) {
    const judged = readAnswer(promql, { status: 200, body });
    assert.equal(judged.verdict, 'insufficient', body);
    assert.match(judged.says, says);
  }
});

test('the newest answer has the say, and a pass does not outlive the silence after it', () => {
  const work = begun();
  assert.deepEqual(work.judge(0), { verdict: 'insufficient', says: 'there is no answer yet' });
  hear(work, { verdict: 'pass', says: 'status 200' });
  assert.equal(work.judge(0).verdict, 'pass');
  work.add(evidence(new Map()));
  assert.equal(work.judge(0).verdict, 'pass', 'nothing was asked meanwhile');
  hear(work, { verdict: 'insufficient', says: 'no answer in time' });
  assert.deepEqual(work.judge(0), { verdict: 'insufficient', says: 'no answer in time' });
});

test('where several bad answers in a row are needed, silence between them does not start anew, and a good one does', () => {
  const work = begun();
  hear(work, { verdict: 'fail', says: 'status 500' }, 2);
  assert.deepEqual(work.judge(0), { verdict: 'insufficient', says: 'status 500; 1 of 2 in a row' });
  hear(work, { verdict: 'insufficient', says: 'no answer' }, 2);
  hear(work, { verdict: 'fail', says: 'status 500' }, 2);
  assert.equal(work.judge(0).verdict, 'fail');
  hear(work, { verdict: 'pass', says: 'status 200' }, 2);
  hear(work, { verdict: 'fail', says: 'status 500' }, 2);
  assert.equal(work.judge(0).verdict, 'insufficient');
});

test('a name is a gate only where the config declares it', () => {
  const refused = readGate('checkout-okay', new Set(['checkout-ok']));
  assert.equal(typeof refused === 'string' ? /is no gate; .* or are declared under gates of the config/.test(refused) : '', true);
  assert.equal(typeof readGate('checkout-ok', new Set(['checkout-ok'])), 'object');
});

function gate(source: AskedGateConfig['source'], bound: AskedGateConfig['bound'] = { above: null, below: null }): AskedGateConfig {
  const asks = { everyMs: 1000, timeoutMs: 1000, failures: 1, authorization: null, headers: {}, ca: null };
  return { name: 'checkout-ok', source, bound, ...asks };
}

function verdict(of: AskedGateConfig, status: number, body: string): string {
  return readAnswer(of, { status, body }).verdict;
}

/** As Prometheus answers an instant query. */
function answer(resultType: string, result: readonly unknown[]): string {
  return JSON.stringify({ status: 'success', data: { resultType, result } });
}

function series(value: string): unknown {
  return { metric: { pod: 'a' }, value: [1_760_000_000.123, value] };
}

function begun(): GateAtWork {
  const found = readGate('checkout-ok', new Set(['checkout-ok']));
  assert.ok(typeof found !== 'string');
  return found.begin();
}

function hear(work: GateAtWork, judgement: Judgement, failures = 1): void {
  work.add(evidence(new Map([['checkout-ok', { ...judgement, failures }]])));
}

function evidence(readings: ReadonlyMap<string, Reading>): Parameters<GateAtWork['add']>[0] {
  return { trial: { requests: 0, errors: 0, latency: new Array<number>(BUCKETS).fill(0) }, baseline: null, usualErrorRatio: 0, readings };
}
