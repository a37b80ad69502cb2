// Trace context: what is a trace and what is not, by the examples and rules of the W3C recommendation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  combinedState,
  parseTraceParent,
  spanIdOf,
  tellsTrace,
  toldTrace,
  traceIdOf,
  traceParentText,
  withoutTrace,
} from '../../../balancer/telemetry/trace-context.ts';
import { TraceIds } from '../../../balancer/telemetry/trace-ids.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test('a trace parent is read with its decision', () => {
  assert.deepEqual(parseTraceParent(`00-${TRACE}-${SPAN}-01`), { traceId: TRACE, parentId: SPAN, sampled: true });
  assert.deepEqual(parseTraceParent(`00-${TRACE}-${SPAN}-02`), { traceId: TRACE, parentId: SPAN, sampled: false });
});

test('of a later version its known part is read', () => {
  assert.equal(parseTraceParent(`cc-${TRACE}-${SPAN}-01`)?.traceId, TRACE);
  assert.equal(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`)?.sampled, true);
  assert.equal(parseTraceParent(`cc-${TRACE}-${SPAN}-01.what`), null);
});

for (const [what, text] of [
  ['nothing', ''],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['flags of one digit', `00-${TRACE}-${SPAN}-1`],
  ['another character', `00-${TRACE.slice(1)}g-${SPAN}-01`],
] as const)
  test(`${what} is no trace parent`, () => assert.equal(parseTraceParent(text), null));

test('lists of vendors are one list in their order, and a broken one is none', () => {
  assert.equal(combinedState(['rojo=00f067aa0ba902b7', 'congo=t61rcWkgMzE']), 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE');
  assert.equal(combinedState(['a=1,,b=2', '']), 'a=1,b=2');
  assert.equal(combinedState(['fw529a3039@dt=FfAFAAAAAQAA']), 'fw529a3039@dt=FfAFAAAAAQAA');
  assert.equal(combinedState(['Upper=1']), '');
  assert.equal(combinedState(['a']), '');
  assert.equal(combinedState([Array.from({ length: 33 }, (_, index) => `k${index}=v`).join(',')]), '');
});

test('two trace parents are none, and without one the state says nothing', () => {
  const parent = `00-${TRACE}-${SPAN}-01`;
  assert.equal(toldTrace(['traceparent', parent, 'traceparent', parent]).parent, null);
  assert.deepEqual(toldTrace(['tracestate', 'a=1']), { parent: null, state: '' });
  assert.deepEqual(toldTrace(['traceparent', 'broken', 'tracestate', 'a=1']), { parent: null, state: '' });
});

test('what is about a trace is found and taken out, and baggage of a stranger with it', () => {
  const fields = ['accept', '*/*', 'traceparent', 'x', 'tracestate', 'y', 'baggage', 'z', 'te', 'trailers'];
  assert.equal(tellsTrace(fields), true);
  assert.equal(tellsTrace(['te', 'trailers', 'trace', 'no']), false);
  assert.deepEqual(withoutTrace(fields, false), ['accept', '*/*', 'te', 'trailers']);
  assert.deepEqual(withoutTrace(fields, true), ['accept', '*/*', 'baggage', 'z', 'te', 'trailers']);
});

test('what clusters hear of a trace that nobody keeps is ready to be sent, can be read, and never comes twice', () => {
  const ids = new TraceIds();
  const texts = Array.from({ length: 1000 }, () => ids.unsampledParent());
  const read = texts.map((text) => parseTraceParent(text));
  for (const [index, parent] of read.entries()) {
    assert.ok(parent !== null && !parent.sampled, texts[index] ?? '');
    assert.deepEqual([traceIdOf(texts[index] ?? ''), spanIdOf(texts[index] ?? '')], [parent.traceId, parent.parentId]);
  }
  assert.equal(new Set(read.map((parent) => parent?.traceId.slice(16))).size, 1000, 'the right half of the trace id is random');
  assert.notEqual(new TraceIds().unsampledParent().slice(3, 19), texts[0]?.slice(3, 19), 'the left half is of the process');
});

test('ids are as long as they have to be, none comes twice, and what is written can be read', () => {
  const ids = new TraceIds();
  const traces = Array.from({ length: 1000 }, () => ids.trace());
  const spans = Array.from({ length: 1000 }, () => ids.span());
  assert.equal(new Set([...traces, ...spans]).size, 2000);
  for (const [index, trace] of traces.entries())
    assert.equal(parseTraceParent(traceParentText(trace, spans[index] ?? '', index % 2 === 0))?.sampled, index % 2 === 0);
});
