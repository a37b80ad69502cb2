// What weir answers itself to calls of gRPC: a status of gRPC in one head, whatever went wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, isErrorCode, type ErrorCode } from '../../../balancer/errors.ts';
import { fieldValue } from '../../../balancer/message/fields.ts';
import { errorReplyTo, replyTo } from '../../../balancer/worker/respond.ts';
import { aRequest } from '../../support/request.ts';

const call = (type: string) => aRequest({ method: 'POST', fields: ['content-type', type, 'accept', 'application/json'] });

const STATUSES: Partial<Record<ErrorCode, string>> = {
  bad_request: '13',
  client_certificate_required: '7',
  route_not_found: '12',
  body_too_large: '8',
  no_endpoint: '14',
  connect_failed: '14',
  first_byte_timeout: '14',
  request_deadline: '4',
  internal: '13',
  misdirected_request: '2',
  credentials_missing: '16',
  access_denied: '7',
  rate_limited: '8',
};

for (const [code, status] of Object.entries(STATUSES)) {
  test(`${code} is status ${status} of gRPC`, () => {
    assert.ok(isErrorCode(code));
    const { status: http, fields, body } = errorReplyTo(call('application/grpc+proto; charset=utf-8'), code);
    assert.deepEqual([http, body, fieldValue(fields, 'content-type')], [200, '', 'application/grpc+proto']);
    assert.deepEqual([fieldValue(fields, 'grpc-status'), fieldValue(fields, 'grpc-message')], [status, ERRORS[code].title]);
    assert.deepEqual([fieldValue(fields, 'x-request-id'), fieldValue(fields, 'cache-control')], ['test-1', 'no-store']);
  });
}

test('calls of gRPC-Web get their own type back, and other types none of it', () => {
  for (const type of ['application/grpc-web', 'application/grpc-web+json', 'application/grpc-web-text+proto'])
    assert.equal(fieldValue(errorReplyTo(call(type), 'overloaded').fields, 'content-type'), type);
  for (const type of ['application/grpcx', 'application/json', '']) assert.equal(errorReplyTo(call(type), 'overloaded').status, 503);
});

test('a reply of a filter becomes a status of gRPC, with a short text as its message', () => {
  const told = { status: 401, fields: ['content-type', 'text/plain', 'www-authenticate', 'Key'], body: 'no 100% key\n' };
  const { status, fields, body } = replyTo(call('application/grpc'), told);
  assert.deepEqual([status, body], [200, '']);
  assert.deepEqual(fields, [
    ...['content-type', 'application/grpc', 'grpc-status', '16', 'grpc-message', 'no 100%25 key'],
    ...['www-authenticate', 'Key'],
  ]);
  const json = replyTo(call('application/grpc'), { status: 429, fields: ['content-type', 'application/json'], body: '{}' });
  assert.deepEqual([fieldValue(json.fields, 'grpc-status'), fieldValue(json.fields, 'grpc-message')], ['8', 'HTTP status 429']);
});

test('a reply to any other request stays as it is', () => {
  const reply = { status: 401, fields: [], body: 'no' };
  assert.equal(replyTo(call('application/json'), reply), reply);
});
