// Heads of responses that are kept with shared fields, against heads that are made anew each time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { responseHeadText, type ResponseFraming } from '../../../balancer/http1/serialize.ts';
import { UNKNOWN_LENGTH } from '../../../balancer/message/exchange.ts';
import { share } from '../../../balancer/message/shared-fields.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const FIELDS = [
  ['content-type', 'text/plain', 'x-one', 'two'],
  ['content-type', 'text/plain', 'date', 'Fri, 27 Nov 2026 08:00:00 GMT'],
];

test('are what they would be, whatever changes from one response to the next', () => {
  for (const fields of FIELDS) {
    const shared = share(fields.slice());
    const random = seededRandom(11);
    const oneOf = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] ?? assert.fail();
    const heads = new Set<string>();
    for (let response = 0; response < 2000; response += 1) {
      const status = oneOf(200, 200, 200, 404, 204);
      const length = oneOf(5, 5, 5, 17, UNKNOWN_LENGTH);
      const connectionLine = oneOf('', '', '', 'connection: close\r\n');
      const framing: ResponseFraming = { length, chunked: length === UNKNOWN_LENGTH, tellsLength: status !== 204, connectionLine };
      const date = (): string => (response < 1000 ? 'date: now\r\n' : 'date: later\r\n');
      const head = responseHeadText(status, shared, framing, date);
      assert.equal(head, responseHeadText(status, fields, framing, date));
      heads.add(head);
    }
    assert.ok(heads.size > 15, `${heads.size} kinds of heads`);
  }
});
