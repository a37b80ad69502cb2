// A collector of traces: a real HTTP server that takes OTLP in JSON, and reads it as the specification writes it.
import type { TestContext } from 'node:test';
import { startOrigin, type Origin } from './origin.ts';
import { until } from './until.ts';

export interface TakenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly status: number;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface Collector {
  readonly url: string;
  readonly origin: Origin;
  readonly spans: readonly TakenSpan[];
  readonly resource: Readonly<Record<string, string | number | boolean>>;
  /** Batches that came, taken or not. */
  readonly batches: number;
  /** What it answers; 200 takes. */
  answer: { readonly status: number; readonly fields?: Readonly<Record<string, string>>; readonly body?: string };
  /** Waits until it has at least so many. */
  untilSpans(count: number): Promise<readonly TakenSpan[]>;
  /** The span of a request, by its path. */
  ofPath(path: string): TakenSpan | undefined;
}

type Json = Readonly<Record<string, unknown>>;

export async function startCollector(t: TestContext): Promise<Collector> {
  const spans: TakenSpan[] = [];
  const collector = { batches: 0, resource: {} as Collector['resource'], answer: { status: 200 } as Collector['answer'] };
  const origin = await startOrigin(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      collector.batches += 1;
      const { status, fields = {}, body = '{}' } = collector.answer;
      if (status === 200) {
        const message = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
        for (const resource of listOf(message, 'resourceSpans')) {
          collector.resource = attributesOf(resource['resource'] as Json);
          for (const scope of listOf(resource, 'scopeSpans')) spans.push(...listOf(scope, 'spans').map(spanOf));
        }
      }
      response.writeHead(status, { 'content-type': 'application/json', ...fields }).end(body);
    });
  });
  return {
    url: `${origin.endpoint}/v1/traces`,
    origin,
    spans,
    get resource() {
      return collector.resource;
    },
    get batches() {
      return collector.batches;
    },
    get answer() {
      return collector.answer;
    },
    set answer(answer) {
      collector.answer = answer;
    },
    untilSpans: async (count) => {
      await until(() => spans.length >= count, `${count} spans at the collector`, 15_000);
      return spans;
    },
    ofPath: (path) => spans.find(({ kind, attributes }) => kind === 2 && attributes['url.path'] === path),
  };
}

function listOf(message: Json, name: string): readonly Json[] {
  const list = message[name];
  if (!Array.isArray(list)) throw new Error(`${name} is no list in ${JSON.stringify(message)}`);
  return list as readonly Json[];
}

/** Throws where it is not as the JSON form of protobuf has it. */
function spanOf(span: Json): TakenSpan {
  const text = (name: string, form: RegExp): string => {
    const value = span[name];
    if (typeof value !== 'string' || !form.test(value)) throw new Error(`${name} is ${JSON.stringify(value)}`);
    return value;
  };
  const parent = span['parentSpanId'];
  return {
    traceId: text('traceId', /^[0-9a-f]{32}$/),
    spanId: text('spanId', /^[0-9a-f]{16}$/),
    ...(parent === undefined ? {} : { parentSpanId: text('parentSpanId', /^[0-9a-f]{16}$/) }),
    ...(span['traceState'] === undefined ? {} : { traceState: text('traceState', /^.+$/) }),
    name: text('name', /^.+$/),
    kind: Number(span['kind']),
    startMs: Number(text('startTimeUnixNano', /^\d{19}$/)) / 1e6,
    endMs: Number(text('endTimeUnixNano', /^\d{19}$/)) / 1e6,
    attributes: attributesOf(span),
    status: Number((span['status'] as Json | undefined)?.['code'] ?? 0),
    links: (span['links'] ?? []) as TakenSpan['links'],
  };
}

function attributesOf(of: Json): Readonly<Record<string, string | number | boolean>> {
  return Object.fromEntries(
    listOf(of, 'attributes').map(({ key, value }): readonly [string, string | number | boolean] => {
      const [[form, inner] = ['', undefined]] = Object.entries(value as Json);
      if (form === 'stringValue' && typeof inner === 'string') return [String(key), inner];
      if (form === 'boolValue' && typeof inner === 'boolean') return [String(key), inner];
      if (form === 'intValue' && typeof inner === 'string' && /^-?\d+$/.test(inner)) return [String(key), Number(inner)];
      if (form === 'doubleValue' && typeof inner === 'number') return [String(key), inner];
      throw new Error(`the value of ${String(key)} is ${JSON.stringify(value)}`);
    }),
  );
}
