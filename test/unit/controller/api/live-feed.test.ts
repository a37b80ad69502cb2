// The feed of the dashboards: one document for all, changes of it, readers that come back, readers that are slow, and no work when nobody reads.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FeedSocket, LiveFeed } from '../../../../balancer/controller/api/live-feed.ts';
import type { EventView, FeedMessage, FeedView } from '../../../../balancer/controller/api/views.ts';
import { applyDelta } from '../../../../tui/dashboard/apply-delta.ts';
import { extrasView } from '../../../support/feed-extras.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { busyStatus } from '../../../support/statuses.ts';

class TestSocket implements FeedSocket {
  bufferedAmount = 0;
  readonly messages: FeedMessage[] = [];
  pings = 0;
  ended = '';
  readonly #gone: (() => void)[] = [];

  send(text: string): void {
    this.messages.push(JSON.parse(text) as FeedMessage);
  }

  ping(): void {
    this.pings += 1;
  }

  close(code: number): void {
    this.ended = `closed ${code}`;
    this.leave();
  }

  terminate(): void {
    this.ended = 'terminated';
    this.leave();
  }

  on(_event: 'close' | 'error', listener: () => void): void {
    this.#gone.push(listener);
  }

  leave(): void {
    for (const gone of this.#gone) gone();
  }

  /** What the messages come to. */
  document(before: unknown = null): unknown {
    return this.messages.reduce((document: unknown, message) => {
      if (message.type === 'snapshot') return message.document;
      return message.type === 'delta' ? applyDelta(document, message.delta) : document;
    }, before);
  }
}

function start() {
  const clock = new ManualClock(1000);
  const host = { revision: 42, made: 0, tell: (): void => undefined, subscribers: 0 };
  const document = (): FeedView => {
    host.made += 1;
    return { status: busyStatus({ revision: host.revision }), ...extrasView(busyStatus(), host.made) };
  };
  const subscribe = (onEvent: (event: EventView) => void): (() => void) => {
    host.subscribers += 1;
    host.tell = () => onEvent({ sequence: 1, at: '', kind: 'health', code: 'health.endpoint', severity: 'info', text: '' });
    return () => void (host.subscribers -= 1);
  };
  const feed = new LiveFeed({ clock, epoch: 'e1', appliance: { feed: document, subscribe } });
  return { clock, host, feed };
}

const types = ({ messages }: TestSocket): readonly string[] => messages.map(({ type }) => type);
const revisionOf = (document: unknown): number => (document as FeedView).status.revision;

describe('the feed', () => {
  test('is a snapshot with the role of its reader, then what changes, twice a second and soon after an event', async () => {
    const { clock, host, feed } = start();
    const reader = new TestSocket();
    feed.add(reader, 'operate', null);
    const [first] = reader.messages;
    ok(first?.type === 'snapshot' && first.role === 'operate' && first.epoch === 'e1');
    await clock.elapse(1000);
    deepEqual(types(reader), ['snapshot', 'delta', 'delta']);
    host.revision = 43;
    host.tell();
    await clock.elapse(100);
    equal(revisionOf(reader.document()), 43);
  });

  test('is made once for all readers, and not at all for none', async () => {
    const { clock, host, feed } = start();
    const readers = [new TestSocket(), new TestSocket(), new TestSocket()];
    for (const reader of readers) feed.add(reader, 'read', null);
    const { made } = host;
    await clock.elapse(500);
    equal(host.made, made + 1);
    for (const reader of readers) reader.leave();
    await clock.elapse(10_000);
    equal(host.made, made + 1);
    equal(host.subscribers, 0);
    equal(clock.pending, 0);
  });

  test('goes on where a reader was that comes back, without another snapshot', async () => {
    const { clock, host, feed } = start();
    const stays = new TestSocket();
    const leaves = new TestSocket();
    feed.add(stays, 'read', null);
    feed.add(leaves, 'read', null);
    await clock.elapse(500);
    const had = leaves.document();
    const at = leaves.messages.at(-1);
    leaves.leave();
    host.revision = 44;
    await clock.elapse(3000);
    const back = new TestSocket();
    feed.add(back, 'read', { epoch: 'e1', number: at?.type === 'delta' ? at.number : 0 });
    equal(back.messages[0]?.type, 'resumed');
    ok(!types(back).includes('snapshot'));
    deepEqual(back.document(had), stays.document());
  });

  test('goes on over a time in which nobody read', async () => {
    const { clock, host, feed } = start();
    const one = new TestSocket();
    feed.add(one, 'read', null);
    const had = one.document();
    one.leave();
    host.revision = 50;
    await clock.elapse(60_000);
    const back = new TestSocket();
    feed.add(back, 'read', { epoch: 'e1', number: 1 });
    deepEqual(types(back), ['resumed', 'delta']);
    equal(revisionOf(back.document(had)), 50);
  });

  test('begins anew for who names a state of another controller, or one that is too long ago', async () => {
    const { clock, feed } = start();
    const stays = new TestSocket();
    feed.add(stays, 'read', null);
    await clock.elapse(500 * 250);
    for (const has of [
      { epoch: 'e0', number: 3 },
      { epoch: 'e1', number: 2 },
      { epoch: 'e1', number: 9999 },
    ]) {
      const reader = new TestSocket();
      feed.add(reader, 'read', has);
      equal(reader.messages[0]?.type, 'snapshot');
    }
  });

  test('sends a slow reader nothing while it is behind, then one change for all it has missed', async () => {
    const { clock, host, feed } = start();
    const slow = new TestSocket();
    feed.add(slow, 'read', null);
    slow.bufferedAmount = 1_000_000;
    await clock.elapse(2000);
    host.revision = 45;
    await clock.elapse(2000);
    equal(slow.messages.length, 1);
    slow.bufferedAmount = 0;
    await clock.elapse(250);
    equal(slow.messages.length, 2);
    equal(revisionOf(slow.document()), 45);
    await clock.elapse(500);
    equal(slow.messages.length, 3);
  });

  test('cuts a reader off that takes nothing for half a minute', async () => {
    const { clock, feed } = start();
    const stuck = new TestSocket();
    feed.add(stuck, 'read', null);
    stuck.bufferedAmount = 1_000_000;
    await clock.elapse(31_000);
    equal(stuck.ended, 'terminated');
    equal(clock.pending, 0);
  });

  test('ends in good order', () => {
    const { clock, feed } = start();
    const reader = new TestSocket();
    feed.add(reader, 'read', null);
    feed.close();
    equal(reader.ended, 'closed 1001');
    equal(clock.pending, 0);
  });
});
