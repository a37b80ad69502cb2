// The border of the dashboard: what is no status is refused with the place, what is one is safe to draw.
import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeStatus } from '../../../../tui/dashboard/decode.ts';
import { StatusUnreadable } from '../../../../tui/dashboard/decoders.ts';
import { busyStatus, clusterView, eventView } from '../../../support/statuses.ts';

/** As it comes over the network. */
function sent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('a status from the network', () => {
  test('is what was sent', () => deepEqual(decodeStatus(sent(busyStatus())), busyStatus()));

  test('may be one of a host in a fleet, and of an older version that sends neither rollouts nor approvals', () => {
    const { rollouts, approvals, ...older } = busyStatus({ events: [eventView(1, 'fleet', 'this host leads the fleet')] });
    deepEqual(decodeStatus(sent(older)), { ...older, rollouts, approvals });
  });

  test('may carry more than this version knows', () => {
    const newer = { ...busyStatus(), sunshine: true, clusters: [{ ...clusterView('a'), colour: 'red' }] };
    const decoded = decodeStatus(sent(newer));
    ok(!('sunshine' in decoded));
    deepEqual(decoded.clusters, [clusterView('a')]);
  });

  test('has no string left that could move the cursor', () => {
    const hostile = '\x1b[31m\n\u202e';
    const decoded = decodeStatus(
      sent(
        busyStatus({
          host: hostile,
          degraded: [hostile],
          clusters: [clusterView(hostile)],
          events: [{ ...busyStatus().events[0], text: hostile }] as never,
        }),
      ),
    );
    ok(!/[\p{Cc}\p{Cf}]/u.test(JSON.stringify(decoded)));
    equal(decoded.host, '[31m ');
  });

  const wrong: readonly (readonly [what: string, value: unknown, message: RegExp])[] = [
    ['nothing', null, /should be an object, got null/],
    ['a list', [], /should be an object/],
    ['no host', { ...busyStatus(), host: undefined }, /host should be text, got nothing/],
    ['a number that JSON cannot carry', { ...busyStatus(), inFlight: null }, /inFlight should be a number, got null/],
    [
      'an unknown state',
      { ...busyStatus(), clusters: [{ ...clusterView('a'), health: 'sleepy' }] },
      /clusters\[0\]\.health should be one of unknown, up/,
    ],
    [
      'a service without targets',
      { ...busyStatus(), services: [{ ...busyStatus().services[0], targets: 7 }] },
      /services\[0\]\.targets should be a list, got 7/,
    ],
  ];
  for (const [what, value, message] of wrong) {
    test(`with ${what} is refused, with the place and what was expected`, () => {
      throws(
        () => decodeStatus(value === null ? null : sent(value)),
        (error) => error instanceof StatusUnreadable && message.test(error.message),
      );
    });
  }

  test('says what it got without repeating control characters', () => {
    throws(
      () => decodeStatus({ ...busyStatus(), role: 'a\u001b[2J' }),
      (error) => error instanceof StatusUnreadable && !/\p{Cc}/u.test(error.message),
    );
  });
});
