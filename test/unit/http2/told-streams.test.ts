// A client is told by SETTINGS how many streams it may have open now: once for each change, after it has acknowledged the one before.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Setting, settingsFrame, Http2Error, SETTINGS_ACK } from '../../../balancer/http2/frame.ts';
import { startEngine } from '../../support/engine.ts';
import { connectH2, GET, head, type H2Client } from '../../support/h2-client.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const HEAD_BYTES = 9;

interface Started {
  readonly client: H2Client;
  readonly clock: ManualClock;
  /** Tells the limit, and what the client heard since the last time. */
  readonly told: (limit: number) => Promise<readonly string[]>;
}

async function start(t: TestContext): Promise<Started> {
  const clock = new ManualClock();
  const engine = await startEngine(t, { http2: { maxStreams: 100 }, clock, answer: () => undefined });
  const client = await connectH2(t, engine.port);
  await client.roundTrip();
  client.settings.length = 0;
  return {
    client,
    clock,
    told: async (limit) => {
      for (const connection of engine.connections) connection.limitStreams?.(limit);
      // There and back twice: the SETTINGS have come and their acknowledgement has gone.
      await client.roundTrip();
      await client.roundTrip();
      return client.settings.splice(0);
    },
  };
}

const streams = (most: number): string => settingsFrame([Setting.MaxConcurrentStreams, most]).slice(HEAD_BYTES);

describe('a limit on streams', () => {
  it('is told once, and taken back', async (t) => {
    const { told } = await start(t);
    assert.deepEqual(await told(4), [streams(4)]);
    assert.deepEqual(await told(4), []);
    assert.deepEqual(await told(1), [streams(1)]);
    assert.deepEqual(await told(Infinity), [streams(100)]);
    assert.deepEqual(await told(Infinity), []);
    assert.deepEqual(await told(500), [], 'no more than the listener allows');
  });

  it('does not count streams that have been open for a second: they are no work that waits', async (t) => {
    const { client, clock, told } = await start(t);
    client.send(head(1, GET), head(3, GET));
    assert.deepEqual(await told(4), [streams(4)]);
    clock.advance(1000);
    client.send(head(5, GET));
    await client.roundTrip();
    assert.deepEqual(await told(4), [streams(6)]);
    assert.deepEqual(await told(98), [streams(100)]);
  });

  it('ends no stream that is open, and refuses none of a client that has not heard of it', async (t) => {
    const { client, told } = await start(t);
    client.send(head(1, GET), head(3, GET), head(5, GET));
    await told(1);
    client.send(head(7, GET));
    await client.roundTrip();
    assert.deepEqual(
      [1, 3, 5, 7].map((id) => client.response(id).reset),
      [-1, -1, -1, -1],
    );
  });

  it('makes room for one more acknowledgement and no further', async (t) => {
    const { client, told } = await start(t);
    await told(4);
    client.send(SETTINGS_ACK);
    assert.equal(await client.untilClosed(), Http2Error.ProtocolError);
  });
});
