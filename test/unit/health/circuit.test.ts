// A circuit breaker: when it opens, what may pass while it is half open, and what closes it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Circuit } from '../../../health/circuit.ts';

const SETTINGS = { windowMs: 10_000, ratio: 0.5, minRequests: 20, openMs: 5000, maxOpenMs: 12_000, trials: 3 };

/** Nothing is cut off the times. */
const aCircuit = (): Circuit => new Circuit(SETTINGS, () => 0);

/** Half of 20 requests within 8 s fail. */
function openAt(circuit: Circuit, nowMs: number): number {
  let forMs = 0;
  for (let i = 0; i < 10; i += 1) {
    circuit.success(nowMs + i * 800);
    forMs += circuit.failure(nowMs + i * 800);
  }
  return forMs;
}

const admitted = (circuit: Circuit, nowMs: number, asked: number): number =>
  Array.from({ length: asked }, () => circuit.admits(nowMs)).filter(Boolean).length;

test('half of twenty in ten seconds opens it, and fewer do not', () => {
  const few = aCircuit();
  for (let i = 0; i < 19; i += 1) assert.equal(few.failure(i * 100), 0);
  assert.equal(few.state(2000), 'closed');
  const circuit = aCircuit();
  assert.equal(openAt(circuit, 0), 5000);
  assert.deepEqual([circuit.state(7200), circuit.state(12_199), circuit.state(12_200)], ['open', 'open', 'half-open']);
  const spread = aCircuit();
  for (let i = 0; i < 40; i += 1) assert.equal(spread.failure(i * 600), 0, 'never 20 within a window');
});

test('nothing passes while it is open, and a few in a second while it is half open', () => {
  const circuit = aCircuit();
  openAt(circuit, 0);
  assert.equal(admitted(circuit, 8000, 10), 0);
  assert.equal(admitted(circuit, 12_200, 10), 3);
  assert.equal(admitted(circuit, 13_199, 10), 0);
  assert.equal(admitted(circuit, 13_200, 10), 3);
});

test('as many successes in a row as there are trials close it; what was under way when it opened proves nothing', () => {
  const circuit = aCircuit();
  openAt(circuit, 0);
  for (let i = 0; i < 10; i += 1) assert.equal(circuit.success(8000), false);
  assert.deepEqual([circuit.success(12_300), circuit.success(12_300), circuit.success(12_300)], [false, false, true]);
  assert.equal(circuit.state(12_300), 'closed');
  assert.equal(admitted(circuit, 12_300, 1000), 1000);
  assert.equal(circuit.failure(12_300), 0, 'the window is a new one');
});

test('one failed trial opens it again, for longer each time, up to the longest', () => {
  const circuit = aCircuit();
  openAt(circuit, 0);
  circuit.success(12_300);
  assert.equal(circuit.failure(12_300), 10_000);
  assert.equal(circuit.failure(12_400), 0, 'it is open already');
  assert.equal(circuit.failure(22_300), 12_000);
  assert.equal(circuit.state(34_000), 'open');
});

test('what others suspect is tried before all requests go there', () => {
  const circuit = aCircuit();
  circuit.suspect();
  assert.deepEqual([circuit.state(0), admitted(circuit, 0, 10)], ['half-open', 3]);
  circuit.suspect();
  assert.equal(admitted(circuit, 0, 10), 0, 'it is suspected already');
});
