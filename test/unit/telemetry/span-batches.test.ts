// What is sent to a collector: JSON that says what the spans say, whatever they carry, however many there are, and again after it was sent.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import {
  attribute,
  first,
  numberAttribute,
  numberKey,
  SPAN_SERVER,
  spanJson,
  textKey,
  type Span,
} from '../../../balancer/telemetry/otlp.ts';
import { SpanBatch } from '../../../balancer/telemetry/span-batch.ts';

const span = (text: string, number: number): Span => ({
  ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentId: '', state: '', name: text, kind: SPAN_SERVER, startMs: 1, endMs: 2.5 },
  ...{ attributes: attribute(first(textKey('url.path')), text) + numberAttribute(numberKey('number'), number) },
  ...{ failed: false, sampled: true, link: null },
});

/** As a collector reads it. */
function read(batch: SpanBatch): {
  readonly resource: readonly unknown[];
  readonly spans: readonly { readonly attributes: readonly unknown[] }[];
} {
  const { resourceSpans } = JSON.parse(batch.body().toString()) as {
    resourceSpans: [{ resource: { attributes: unknown[] }; scopeSpans: [{ spans: [] }] }];
  };
  const [{ resource, scopeSpans }] = resourceSpans;
  return { resource: resource.attributes, spans: scopeSpans[0].spans };
}

const newBatch = (): SpanBatch => new SpanBatch(attribute(first(textKey('service.name')), 'weir "é"'), '1');

const TEXTS = ['/plain', '/with "quotes" and \\', '/tab\tand\u0000', '/ünïcode/€/𝄞', '', '/lone\ud800surrogate'];
for (const text of TEXTS)
  test(`a span with ${JSON.stringify(text)} comes as it is`, () => {
    const batch = newBatch();
    batch.add(spanJson(span(text, 7)));
    const { resource, spans } = read(batch);
    deepEqual(resource, [{ key: 'service.name', value: { stringValue: 'weir "é"' } }]);
    deepEqual(spans, [
      {
        ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, name: text, kind: SPAN_SERVER },
        ...{ startTimeUnixNano: '1000000', endTimeUnixNano: '2500000' },
        attributes: [
          { key: 'url.path', value: { stringValue: text } },
          { key: 'number', value: { intValue: '7' } },
        ],
      },
    ]);
  });

test('a number with a fraction is no integer', () => {
  const batch = newBatch();
  batch.add(spanJson(span('/', 0.25)));
  deepEqual(read(batch).spans[0]?.attributes[1], { key: 'number', value: { doubleValue: 0.25 } });
});

test('as many as there are, in order, also in the memory of those that were sent', () => {
  const batch = newBatch();
  for (const count of [700, 0, 1, 900]) {
    batch.clear();
    for (let index = 0; index < count; index += 1) batch.add(spanJson(span(`/€/${index}`.repeat(20), index)));
    equal(batch.spans, count);
    deepEqual(
      read(batch).spans.map(({ attributes }) => attributes[1]),
      Array.from({ length: count }, (_, index) => ({ key: 'number', value: { intValue: String(index) } })),
    );
  }
});
