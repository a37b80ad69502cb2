// Lines and messages between controller and workers: what comes in pieces is put together, what is no message is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeControllerMessage, IPC_PROTOCOL, decodeWorkerMessage, encodeMessage, type WorkerMessage } from '../../balancer/ipc.ts';
import { decodeChildMessage, decodeSupervisorMessage } from '../../balancer/ipc-life-cycle.ts';
import type { Config } from '../../balancer/config/config.ts';
import { loadConfig } from '../../balancer/config/load.ts';
import { encodeGeneration, encodeNextGeneration, GenerationAssembly } from '../../balancer/ipc-generation.ts';
import { LineReader } from '../../balancer/ipc-lines.ts';
import { loaded, SMALL_CONFIG, TEST_ENVIRONMENT, TEST_EXTENSIONS } from '../support/config-text.ts';

test('lines come out the same however the bytes were cut', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
        { maxLength: 6 },
      ),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const reader = new LineReader();
        const read: string[] = [];
        for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          read.push(...reader.push(bytes.subarray(start, start + size)));
          start += size;
        }
        assert.deepEqual(read, lines);
      },
    ),
    { seed: 7, numRuns: 100 },
  );
});

test('a line without an end is refused before it fills the memory', () => {
  const reader = new LineReader();
  const chunk = Buffer.alloc(16 * 1024 * 1024, 'x');
  assert.throws(() => {
    for (let count = 0; count < 5; count += 1) reader.push(chunk);
  }, /a message of more than/);
});

test('every message of a worker is read as it was written', () => {
  const messages: readonly WorkerMessage[] = [
    { type: 'hello', protocol: IPC_PROTOCOL, worker: 'w1', pid: 4711, generation: 0, plan: 0 },
    { type: 'ack', generation: 3, plan: 12 },
    { type: 'generation_failed', generation: 3, problem: 'no certificate' },
    { type: 'plan_gap', have: 11 },
    { type: 'metrics', sequence: 1, delta: [{ name: 'weir_tunnels', labels: ['w1'], value: 1 }] },
    { type: 'ejection', ejection: { kind: 'endpoint', cluster: 'one', endpoint: '10.0.0.1:80', forMs: 1000, reason: 'reset' } },
    { type: 'recent_answer', question: 7, traces: [] },
    { type: 'ready' },
    { type: 'draining' },
  ];
  for (const message of messages) assert.deepEqual(decodeWorkerMessage(encodeMessage(message).trimEnd()), message);
});

test('what is no message of a worker is refused', () => {
  const wrong = [
    'nonsense',
    '[]',
    'null',
    '{"type":"hello","protocol":1,"worker":"w1","pid":1,"generation":0,"plan":0}',
    '{"type":"ack","generation":-1,"plan":1}',
    '{"type":"ack","generation":1.5,"plan":1}',
    '{"type":"metrics","sequence":1,"delta":[{"name":"weir_tunnels","labels":[1],"value":1}]}',
    '{"type":"metrics","sequence":1,"delta":[{"name":"weir_tunnels","labels":["w1"],"value":null}]}',
    '{"type":"ejection","ejection":{"kind":"target","cluster":"one","forMs":1,"reason":""}}',
  ];
  for (const line of wrong) assert.equal(decodeWorkerMessage(line), null, line);
});

test('a message of a kind that this build does not know is told from a broken one', () => {
  for (const decode of [decodeWorkerMessage, decodeControllerMessage]) {
    assert.deepEqual(decode('{"type":"of_tomorrow","value":1}'), { type: 'foreign' });
    assert.deepEqual(decode('{"type":"constructor"}'), { type: 'foreign' });
    assert.equal(decode('{"type":7}'), null);
    assert.equal(decode('{"kind":"of_tomorrow"}'), null);
  }
});

test('messages of controller, supervisor and children are told from anything else', () => {
  assert.deepEqual(decodeControllerMessage('{"type":"metrics_ack","sequence":4}'), { type: 'metrics_ack', sequence: 4 });
  assert.equal(decodeControllerMessage('{"type":"plan","plan":1,"value":[]}'), null);
  assert.deepEqual(decodeSupervisorMessage({ type: 'drain', deadlineMs: 5 }), { type: 'drain', deadlineMs: 5 });
  assert.equal(decodeSupervisorMessage({ type: 'drain', deadlineMs: 'soon' }), null);
  assert.deepEqual(decodeChildMessage({ type: 'failed', problem: 'why' }), { type: 'failed', problem: 'why' });
  assert.equal(decodeChildMessage({ type: 'listen', address: '127.0.0.1:80', host: '127.0.0.1' }), null);
});

test('a generation with many routes goes in pieces and is whole again at the other end', () => {
  const many = Array.from({ length: 600 }, (_, index) => `  - { service: shop, match: { path: /r${index} } }\n`).join('');
  const config = loaded(SMALL_CONFIG + many);
  const lines = encodeGeneration(7, config);
  assert.deepEqual(
    lines.map((line) => decodeControllerMessage(line)?.type),
    ['routes', 'routes', 'routes', 'generation'],
  );
  assert.deepEqual(assembled(lines), config);
  assert.deepEqual(
    assembled([...encodeGeneration(6, config).slice(0, 2), ...lines]),
    config,
    'what is left of a generation before does not count',
  );
  assert.throws(() => assembled(lines.toSpliced(1, 1)), /generation 7 came with 2 of 3 pieces/);
  assert.deepEqual(assembled(encodeGeneration(8, { ...config, routes: [] })).routes, []);
});

test('of the next generation only the pieces go that it does not share with the one before, and it is whole all the same', () => {
  const line = (name: string): string => `  - { service: shop, name: ${name}, match: { path: /${name} } }\n`;
  const texts = Array.from({ length: 1200 }, (_, index) => line(`r${index}`));
  const source = (routes: readonly string[]) => ({ file: '/etc/weir/weir.yaml', text: SMALL_CONFIG + routes.join('') });
  const first = loadConfig(source(texts), TEST_EXTENSIONS, TEST_ENVIRONMENT);
  assert.ok(first.ok);
  const assembly = new GenerationAssembly();
  assembled(encodeGeneration(1, first.config), assembly);
  const changes: readonly ((routes: readonly string[]) => readonly string[])[] = [
    (routes) => routes.toSpliced(600, 0, line('new')),
    (routes) => routes.toSpliced(1, 9),
    (routes) => [...routes, line('last')],
    (routes) => routes.slice(0, 900),
    (routes) => routes,
  ];
  let { config, kept } = first;
  let routes: readonly string[] = texts;
  for (const [index, change] of changes.entries()) {
    routes = change(routes);
    const next = loadConfig(source(routes), TEST_EXTENSIONS, TEST_ENVIRONMENT, kept);
    assert.ok(next.ok);
    const lines = encodeNextGeneration(index + 2, next.config, config.routes);
    const [sent = 0, whole = 0] = [lines, encodeGeneration(0, next.config)].map((text) => text.join('').length);
    assert.ok(sent < 0.5 * whole, `${sent} of ${whole} bytes went`);
    assert.deepEqual(assembled(lines, assembly), next.config);
    ({ config, kept } = next);
  }
  assert.throws(() => assembled(encodeNextGeneration(9, config, config.routes)), /generation 9 came with 0 of/);
});

function assembled(lines: readonly string[], assembly = new GenerationAssembly()): Config {
  let config: Config | null = null;
  for (const line of lines) {
    const message = decodeControllerMessage(line);
    if (message?.type === 'routes' || message?.type === 'same_routes') assembly.take(message);
    else if (message?.type === 'generation') ({ config } = assembly.complete(message));
  }
  assert.ok(config !== null);
  return config;
}
