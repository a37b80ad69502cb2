// Bodies through the filters of a route: one behind the other, with what each holds back, and not where there is no body.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../../balancer/errors.ts';
import type { BodyTransform, Filter } from '../../../balancer/filter/filter.ts';
import { FilteredBody, requestBodyOf, responseBodyOf } from '../../../balancer/worker/body-steps.ts';
import { aRequest } from '../../support/request.ts';

/** Hands pairs of bytes on, each with a mark behind it; an odd last byte comes at the end. */
function pairing(mark: string): BodyTransform {
  let rest = '';
  return {
    push(chunk) {
      const text = rest + chunk.toString();
      rest = text.slice(text.length - (text.length % 2));
      return Buffer.from(text.slice(0, text.length - rest.length).replaceAll(/../g, (pair) => pair + mark));
    },
    end: (trailers) => ({ bytes: Buffer.from(rest), trailers: [...trailers, 'x-mark', mark] }),
  };
}

const filtering = (mark: string): Filter => ({ onRequestBody: () => pairing(mark), onResponseBody: () => pairing(mark) });
const GONE: Filter = { onRequestBody: () => null, onResponseBody: () => null };

test('a body goes through all filters that want it, in order, and what one ends with goes through the next', () => {
  const body = requestBodyOf({ onRequestBody: [filtering('-'), GONE, filtering('+')] }, aRequest());
  assert.deepEqual(
    ['ab', 'c', '', 'de'].map((piece) => body?.push(Buffer.from(piece)).toString()),
    ['ab+', '', '', '-c+d-+'],
  );
  const last = body?.end(['x-sum', '1']);
  assert.deepEqual([last?.bytes.toString(), last?.trailers], ['e', ['x-sum', '1', 'x-mark', '-', 'x-mark', '+']]);
});

test('a body that no filter wants, and a response that has none, is left alone', () => {
  assert.equal(requestBodyOf({ onRequestBody: [GONE] }, aRequest()), null);
  const filters = { onResponseBody: [filtering('-')] };
  for (const status of [204, 304]) assert.equal(responseBodyOf(filters, aRequest(), { status, fields: [] }), null);
  assert.notEqual(responseBodyOf(filters, aRequest(), { status: 200, fields: [] }), null);
});

test('of a body that HEAD asks about nothing is sent, and where a filter would change it its length is not known', () => {
  const asked = aRequest({ method: 'HEAD' });
  const body = responseBodyOf({ onResponseBody: [filtering('-')] }, asked, { status: 200, fields: [] });
  assert.equal(body?.push(Buffer.from('ab')).length, 0);
  assert.deepEqual(body.end([]), { bytes: Buffer.alloc(0), trailers: [] });
  assert.equal(responseBodyOf({ onResponseBody: [GONE] }, asked, { status: 200, fields: [] }), null);
});

test('trouble with a body is told, and nothing comes of it', () => {
  const told: unknown[] = [];
  const throwing = (): never => {
    throw new WeirError('bad_request', 'not what it says');
  };
  const body = new FilteredBody({ push: throwing, end: throwing }, (error) => told.push(error));
  assert.deepEqual([body.push(Buffer.from('x')), body.end([])], [null, null]);
  assert.equal(told.length, 2);
});
