// SETTINGS towards endpoints: they are acknowledged in time, and once, or the connection is given up (RFC 9113 section 6.5.3).
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { goAwayFrame, headersFrames, Http2Error, SETTINGS_ACK, settingsFrame } from '../../../balancer/http2/frame.ts';
import { Deadlines } from '../../../health/deadlines.ts';
import { EndpointConnection } from '../../support/endpoint-connection.ts';
import { block } from '../../support/h2-client.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const GREETING = settingsFrame([]);

function connect(): { readonly clock: ManualClock; readonly endpoint: EndpointConnection } {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  deadlines.start();
  return { clock, endpoint: new EndpointConnection(deadlines) };
}

/** An answer that goes on and on. */
const begunAnswer = (streamId: number): string => headersFrames(block([':status', '200']), streamId, false, 16_384);

test('an endpoint that does not acknowledge our SETTINGS in time loses its requests, and is told why', async () => {
  const { clock, endpoint } = connect();
  const [begun, waiting] = [endpoint.ask(), endpoint.ask()];
  endpoint.feed(GREETING + begunAnswer(1));
  clock.advance(10_000);
  assert.deepEqual([begun.ends, waiting.ends], [0, 0]);
  clock.advance(200);
  assert.deepEqual([begun.failed, waiting.failed], ['response_incomplete', 'connection_reset']);
  await setImmediate();
  assert.ok(endpoint.socket.sent.endsWith(goAwayFrame(0, Http2Error.SettingsTimeout, '')));
  assert.ok(endpoint.socket.ended);
  assert.deepEqual(endpoint.told, { goingAway: 1, closed: 1 });
});

test('an endpoint that acknowledges them may take its time with everything else', () => {
  const { clock, endpoint } = connect();
  const asked = endpoint.ask();
  endpoint.feed(GREETING + SETTINGS_ACK + begunAnswer(1));
  clock.advance(9000);
  endpoint.feed(GREETING);
  clock.advance(9000);
  assert.deepEqual([asked.status, asked.ends], [200, 0]);
});

test('an endpoint that acknowledges them twice is given up', () => {
  const { endpoint } = connect();
  const asked = endpoint.ask();
  endpoint.feed(GREETING + SETTINGS_ACK + SETTINGS_ACK);
  assert.equal(asked.failed, 'response_malformed');
});
