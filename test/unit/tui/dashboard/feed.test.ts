// The stream of statuses goes on over losses, says them at once, and ends when it is told to.
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CommandFailure, EXIT } from '../../../../tui/exit.ts';
import { backOffMs, type FeedEvent, type OpenFeed, runFeed } from '../../../../tui/dashboard/feed.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { busyStatus } from '../../../support/statuses.ts';

/** A stream that a test feeds by hand; each opening takes the next script. */
class Streams {
  opened = 0;
  #push: (value: unknown) => void = () => undefined;
  #end: (error: Error | null) => void = () => undefined;

  readonly open: OpenFeed = (signal) => {
    this.opened += 1;
    const body = new ReadableStream<unknown>({
      start: (controller) => {
        this.#push = (value) => controller.enqueue(value);
        this.#end = (error) => (error === null ? controller.close() : controller.error(error));
        signal.addEventListener('abort', () => controller.close(), { once: true });
      },
    });
    return body;
  };

  send(value: unknown): void {
    this.#push(value);
  }

  end(error: Error | null = null): void {
    this.#end(error);
  }
}

interface Running {
  readonly clock: ManualClock;
  readonly streams: Streams;
  readonly events: FeedEvent[];
  readonly seen: () => readonly string[];
  readonly finished: Promise<void>;
  readonly stop: () => void;
}

function start(intervalMs = 1000): Running {
  const clock = new ManualClock(1000);
  const streams = new Streams();
  const events: FeedEvent[] = [];
  const abort = new AbortController();
  const finished = runFeed({ open: streams.open, clock, random: () => 1, intervalMs: () => intervalMs, signal: abort.signal }, (event) =>
    events.push(event),
  );
  const seen = (): readonly string[] =>
    events.map((event) =>
      event.type === 'status' ? `rev ${event.status.revision} at ${event.atMs}` : `lost at ${event.atMs}: ${event.reason}`,
    );
  return { clock, streams, events, seen, finished, stop: () => abort.abort() };
}

const revision = (number: number): unknown => ({ type: 'status', status: busyStatus({ revision: number }) });

describe('the feed', () => {
  test('passes statuses on, and says at once when the stream ends or breaks', async () => {
    const { clock, streams, seen, finished, stop } = start();
    streams.send(revision(1));
    await clock.elapse(1000);
    streams.send(revision(2));
    await clock.elapse(0);
    streams.end();
    await clock.elapse(0);
    deepEqual(seen(), ['rev 1 at 1000', 'rev 2 at 2000', 'lost at 2000: the appliance ended the stream']);
    await clock.elapse(250);
    equal(streams.opened, 2);
    streams.end(new Error('read ECONNRESET\x1b[2J'));
    await clock.elapse(0);
    equal(seen().at(-1), 'lost at 2250: read ECONNRESET[2J');
    stop();
    await finished;
    equal(clock.pending, 0);
  });

  test('waits longer after each failure, up to 5 s, and starts over after a status', async () => {
    deepEqual(
      [0, 1, 2, 3, 4, 5, 99].map((failures) => backOffMs(failures, () => 1)),
      [250, 500, 1000, 2000, 4000, 5000, 5000],
    );
    equal(
      backOffMs(1, () => 0),
      250,
    );
    const { clock, streams, seen, finished, stop } = start();
    for (const waitMs of [250, 500, 1000]) {
      streams.end(new Error('refused'));
      await clock.elapse(waitMs - 1);
      const { opened } = streams;
      await clock.elapse(1);
      equal(streams.opened, opened + 1);
    }
    streams.send(revision(7));
    await clock.elapse(0);
    equal(seen().at(-1), `rev 7 at ${clock.nowMs()}`);
    streams.end(new Error('refused'));
    await clock.elapse(250);
    equal(streams.opened, 5);
    stop();
    await finished;
  });

  test('gives up a stream that is silent for 10 s', async () => {
    const { clock, streams, seen, finished, stop } = start();
    streams.send(revision(1));
    await clock.elapse(9999);
    equal(seen().length, 1);
    await clock.elapse(1);
    equal(seen().at(-1), 'lost at 11000: nothing came for 10 s');
    await clock.elapse(250);
    equal(streams.opened, 2);
    stop();
    await finished;
    equal(clock.pending, 0);
  });

  test('passes over what comes sooner than asked for', async () => {
    const { clock, streams, events, finished, stop } = start(3000);
    for (let number = 0; number < 10; number++) {
      streams.send(revision(number));
      await clock.elapse(1000);
    }
    deepEqual(
      events.map((event) => (event.type === 'status' ? event.status.revision : -1)),
      [0, 3, 6, 9],
    );
    stop();
    await finished;
  });

  test('takes what is no status for a loss, and says what was wrong', async () => {
    const { clock, streams, seen, finished, stop } = start();
    streams.send({ type: 'status', status: { host: 7 } });
    await clock.elapse(0);
    ok(seen().at(-1)?.includes('host should be text, got 7'));
    stop();
    await finished;
  });

  test('ends with the refusal when the caller may not read', async () => {
    const { streams, finished } = start();
    const refusal = new CommandFailure(EXIT.notAllowed, 'this token has been revoked');
    streams.end(refusal);
    await rejects(finished, refusal);
  });

  test('ends during the wait for the next attempt too', async () => {
    const { clock, streams, finished, stop } = start();
    streams.end(new Error('refused'));
    await clock.elapse(10);
    stop();
    await finished;
    equal(clock.pending, 0);
    equal(streams.opened, 1);
  });
});
