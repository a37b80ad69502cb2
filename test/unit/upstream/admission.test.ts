// Requests in work stay within their bounds; a few wait for a short time, the rest are refused at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission, type AdmittedWaiter, type Counted } from '../../../balancer/upstream/admission.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Caller implements AdmittedWaiter {
  readonly place: Counted;
  admittedBy: Admission | null = null;
  state: 'waits' | 'entered' | 'refused' = 'waits';

  constructor(place: Counted) {
    this.place = place;
  }

  onConnection(): void {
    assert.fail('it is not connected here');
  }

  onConnectionFailed(code: string): void {
    assert.equal(code, 'overloaded');
    this.state = 'refused';
  }
}

function gate(limits: { readonly requests?: number; readonly requestsPerEndpoint?: number; readonly queueLength?: number }, workers = 1) {
  const clock = new ManualClock();
  const outcomes: string[] = [];
  const admission = new Admission(clock, (outcome) => void outcomes.push(outcome));
  admission.resize({ requests: 0, requestsPerEndpoint: 0, queueLength: 2, queueMs: 100, ...limits }, workers);
  const come = (place: Counted): Caller => {
    const caller = new Caller(place);
    admission.admit(caller, place, () => (caller.state = 'entered'));
    return caller;
  };
  const leave = (caller: Caller): void => admission.leave(caller, caller.place);
  return { clock, outcomes, admission, come, leave };
}

const endpoint = (id: string): Counted => ({ id, admitted: 0 });

test('what is above the limit of a cluster waits, and enters in its order', () => {
  const { come, outcomes, leave } = gate({ requests: 2 });
  const [a, b] = [endpoint('a'), endpoint('b')];
  const [first, second, third, fourth] = [come(a), come(b), come(a), come(b)];
  assert.deepEqual([first.state, second.state, third.state, fourth.state], ['entered', 'entered', 'waits', 'waits']);
  leave(first);
  assert.deepEqual([third.state, fourth.state], ['entered', 'waits']);
  leave(second);
  assert.equal(fourth.state, 'entered');
  assert.deepEqual(outcomes, ['admitted', 'admitted']);
});

test('an endpoint has a limit of its own; who waits for another one is not held up', () => {
  const { come, leave } = gate({ requestsPerEndpoint: 1 });
  const [a, b] = [endpoint('a'), endpoint('b')];
  const [onA, onB, waitsForA, waitsForB] = [come(a), come(b), come(a), come(b)];
  leave(onB);
  assert.deepEqual([waitsForA.state, waitsForB.state], ['waits', 'entered']);
  leave(onA);
  assert.equal(waitsForA.state, 'entered');
  assert.deepEqual([a.admitted, b.admitted], [1, 1]);
});

test('a full queue refuses at once; who finds no room in time is refused then', () => {
  const { clock, come, outcomes } = gate({ requests: 1 });
  const a = endpoint('a');
  come(a);
  const second = come(a);
  clock.advance(60);
  const third = come(a);
  assert.equal(come(a).state, 'refused');
  clock.advance(40);
  assert.deepEqual([second.state, third.state], ['refused', 'waits']);
  clock.advance(60);
  assert.equal(third.state, 'refused');
  assert.deepEqual(outcomes, ['refused', 'expired', 'expired']);
  assert.equal(clock.pending, 0);
});

test('a client that leaves the queue gives its place up', () => {
  const { come, outcomes, leave } = gate({ requests: 1 });
  const a = endpoint('a');
  const first = come(a);
  const gone = come(a);
  const next = come(a);
  leave(gone);
  leave(first);
  assert.deepEqual([gone.state, next.state], ['waits', 'entered']);
  assert.deepEqual(outcomes, ['left', 'admitted']);
});

test('workers have equal parts of a limit, and no less than one', () => {
  const { come } = gate({ requests: 9, queueLength: 0 }, 4);
  const a = endpoint('a');
  assert.deepEqual([come(a).state, come(a).state, come(a).state], ['entered', 'entered', 'refused']);
  const few = gate({ requests: 2, queueLength: 0 }, 4);
  assert.deepEqual([few.come(a).state, few.come(a).state], ['entered', 'refused']);
});

test('copies of requests have what is left, no request sees them, and the oldest gives way when a request needs its room', () => {
  const { admission, come, leave } = gate({ requests: 3, requestsPerEndpoint: 2 });
  const [a, b] = [endpoint('a'), endpoint('b')];
  const gone: string[] = [];
  const copy = (place: Counted, name: string): boolean => admission.admitSpare(new Caller(place), place, () => void gone.push(name));
  assert.deepEqual(
    [copy(a, 'first'), copy(a, 'second'), copy(a, 'third'), copy(b, 'fourth'), copy(b, 'fifth')],
    [true, true, false, true, false],
  );
  assert.ok(admission.hasRoom(a));
  assert.equal(come(b).state, 'entered');
  assert.deepEqual(gone, ['first'], 'the cluster was full');
  const [onA, alsoOnA] = [come(a), come(a)];
  assert.deepEqual([onA.state, alsoOnA.state], ['entered', 'entered']);
  assert.deepEqual(gone, ['first', 'second', 'fourth']);
  leave(onA);
  assert.ok(copy(a, 'sixth'));
});

test('while requests wait nothing is copied', () => {
  const { admission, come, leave } = gate({ requests: 1 });
  const a = endpoint('a');
  const [first, second] = [come(a), come(a)];
  leave(first);
  assert.equal(second.state, 'entered');
  assert.equal(
    admission.admitSpare(new Caller(a), a, () => undefined),
    false,
  );
});
