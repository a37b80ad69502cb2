// What only one worker of a host does at a time: who does it, what the others hear, and what becomes of it when a worker dies or is never heard of again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flights } from '../../../balancer/controller/flights.ts';
import type { FlightMessage } from '../../../balancer/ipc-flights.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const KEY = 'a hash';

class Host {
  readonly clock = new ManualClock();
  readonly living = new Set([1, 2, 3]);
  readonly heard: string[] = [];
  readonly flights = new Flights({ clock: this.clock, isAlive: (pid) => this.living.has(pid) });

  wants(worker: string, flies = false): void {
    this.flights.wanted(worker, { type: 'flight_wanted', key: KEY, flies }, (message) => this.#hear(worker, message));
  }

  lands(text: string, keepMs: number): void {
    this.flights.landed({ type: 'flight_landed', key: KEY, text, keepMs });
  }

  #hear(worker: string, { state, text }: FlightMessage): void {
    this.heard.push(`${worker} ${state}${text === '' ? '' : ` ${text}`}`);
  }

  /** Since it was asked last. */
  takeHeard(): readonly string[] {
    return this.heard.splice(0);
  }
}

test('the first worker does it, the others hear what came of it, and those that come within its time too', () => {
  const host = new Host();
  host.wants('w1');
  host.wants('w2');
  host.wants('w3');
  assert.deepEqual(host.takeHeard(), ['w1 yours', 'w2 running', 'w3 running']);
  host.lands('sealed', 60_000);
  assert.deepEqual(host.takeHeard(), ['w2 landed sealed', 'w3 landed sealed']);
  host.clock.advance(59_999);
  host.wants('w2');
  assert.deepEqual(host.takeHeard(), ['w2 landed sealed']);
  host.clock.advance(1);
  host.wants('w2');
  assert.deepEqual(host.takeHeard(), ['w2 yours']);
});

test('what is not to be kept is told to those that waited, and then asked for anew', () => {
  const host = new Host();
  host.wants('w1');
  host.wants('w2');
  host.lands('away', 0);
  host.wants('w3');
  assert.deepEqual(host.takeHeard(), ['w1 yours', 'w2 running', 'w2 landed away', 'w3 yours']);
});

test('a worker that dies on the way hands it on; one whose link alone is gone does not', () => {
  const host = new Host();
  host.wants('w1');
  host.wants('w2');
  host.wants('w3');
  host.takeHeard();
  host.flights.lost('w2', 2);
  host.flights.lost('w1', 1);
  host.clock.advance(500);
  assert.deepEqual(host.takeHeard(), [], 'it lives');
  host.living.delete(1);
  host.clock.advance(50);
  assert.deepEqual(host.takeHeard(), ['w3 yours'], 'w2, which waited longer, has left');
});

test('another worker does it when the first one never lands', () => {
  const host = new Host();
  host.wants('w1');
  host.wants('w2');
  host.clock.advance(15_000);
  assert.deepEqual(host.takeHeard(), ['w1 yours', 'w2 running', 'w2 yours']);
  host.lands('late', 1000);
  host.wants('w3');
  assert.deepEqual(host.takeHeard(), ['w3 landed late']);
});

test('a controller that has just started hears from the worker that does it already', () => {
  const host = new Host();
  host.wants('w1', true);
  host.wants('w2');
  host.lands('sealed', 1000);
  assert.deepEqual(host.takeHeard(), ['w2 running', 'w2 landed sealed']);
});

test('what is remembered is bounded by its length, whatever time it has left', () => {
  const host = new Host();
  for (let key = 0; key < 20; key += 1)
    host.flights.landed({ type: 'flight_landed', key: String(key), text: 'x'.repeat(1024 * 1024), keepMs: 60_000 });
  const states: string[] = [];
  for (const key of ['0', '3', '4', '19'])
    host.flights.wanted('w1', { type: 'flight_wanted', key, flies: false }, ({ state }) => states.push(state));
  assert.deepEqual(states, ['yours', 'yours', 'landed', 'landed']);
});
