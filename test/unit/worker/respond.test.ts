// Errors as clients see them: the code, the id, and nothing about the inside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, type ErrorCode } from '../../../balancer/errors.ts';
import { fieldValue } from '../../../balancer/message/fields.ts';
import { errorReply, errorReplyTo } from '../../../balancer/worker/respond.ts';
import { aRequest } from '../../support/request.ts';

const codes = Object.keys(ERRORS).filter((code): code is ErrorCode => code in ERRORS && ERRORS[code as ErrorCode].status > 0);

for (const code of codes) {
  test(`${code} is told as problem JSON and as text`, () => {
    const { status, title, proxyStatus } = ERRORS[code];
    const json = errorReply(code, 'application/json', 'id-1');
    assert.deepEqual(JSON.parse(json.body), { type: 'about:blank', title, status, code, requestId: 'id-1' });
    assert.equal(fieldValue(json.fields, 'content-type'), 'application/problem+json');
    assert.equal(fieldValue(json.fields, 'proxy-status'), `weir; error=${proxyStatus}`);
    assert.equal(fieldValue(json.fields, 'x-request-id'), 'id-1');
    assert.equal(fieldValue(json.fields, 'retry-after'), status === 503 ? '1' : undefined);
    const text = errorReply(code, 'text/html', 'id-1');
    assert.equal(text.body, `${status} ${title}\ncode: ${code}\nrequest id: id-1\n`);
  });
}

for (const [accept, type] of [
  [undefined, 'application/problem+json'],
  ['*/*', 'application/problem+json'],
  ['text/html, application/json;q=0.9', 'application/problem+json'],
  ['text/html,*/*;q=0.8', 'text/plain; charset=utf-8'],
  ['text/*', 'text/plain; charset=utf-8'],
] as const) {
  test(`a client that accepts ${accept ?? 'whatever'} gets ${type}`, () =>
    assert.equal(fieldValue(errorReply('internal', accept, '').fields, 'content-type'), type));
}

test('a request without an id gets none in the answer', () => {
  const { body, fields } = errorReply('bad_request', undefined, '');
  assert.doesNotMatch(body, /requestId/);
  assert.equal(fieldValue(fields, 'x-request-id'), undefined);
});

test('who knows when to come again says it alone', () => {
  const retryAfters = (further: string[]): readonly string[] => {
    const { fields } = errorReplyTo(aRequest(), 'authentication_unavailable', further);
    return fields.filter((_, index) => fields[index - 1] === 'retry-after');
  };
  assert.deepEqual(retryAfters([]), ['1']);
  assert.deepEqual(retryAfters(['retry-after', '5']), ['5']);
});
