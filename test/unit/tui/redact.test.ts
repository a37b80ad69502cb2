// A support archive carries no secret, whatever it is called, wherever it stands, and keeps what is of use.
import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REDACTED, redactJson, redactText, redactYaml } from '../../../tui/redact.ts';

describe('what is taken out', () => {
  test('of JSON: values of fields that are named like secrets, at any depth, and not what says where a secret is', () => {
    const before = {
      ...{
        token: 'abc',
        clientSecret: 'abc',
        password: 'abc',
        apiKey: 'abc',
        'api-key': 'abc',
        authorization: 'abc',
        pepper: 'abc',
        key: 'abc',
      },
      ...{ tokenFile: '/etc/weir/token', keyFile: '/etc/weir/key', name: 'shop', key_id: 'k1' },
      nested: [{ cookie: 'abc', rps: 4 }],
    };
    deepEqual(redactJson(before), {
      ...{ token: REDACTED, clientSecret: REDACTED, password: REDACTED, apiKey: REDACTED, 'api-key': REDACTED, authorization: REDACTED },
      ...{ pepper: REDACTED, key: REDACTED, tokenFile: '/etc/weir/token', keyFile: '/etc/weir/key', name: 'shop', key_id: 'k1' },
      nested: [{ cookie: REDACTED, rps: 4 }],
    });
  });

  test('of text: keys, tokens, credentials of addresses, values of queries', () => {
    for (const secret of [
      'Bearer abcdef123456',
      'weir_ci_Zm9vYmFyYmF6',
      'eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl',
      'redis://user:hunter2@cache:6379',
      'https://shop.example/?session=hunter2&page=3',
      '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
    ]) {
      doesNotMatch(redactText(`before ${secret} after`), /hunter2|abcdef123456|Zm9vYmFyYmF6|c2lnbmF0dXJl/, secret);
      match(redactText(`before ${secret} after`), /^before [^]* after$/);
    }
    equal(redactText('cluster eu-west is down: connection refused'), 'cluster eu-west is down: connection refused');
  });

  test('of a config: values, block scalars and mappings on a line; references and comments stay', () => {
    const config = [
      'state: { dir: /var/lib/weir, redis: { url: "rediss://u:hunter2@cache", keyFile: /etc/weir/keys } }',
      'consumers:',
      '  acme: { keys: [ { id: k1, hash: "hunter2hash" } ] }',
      '  # a comment stays',
      '  bob:',
      '    password: hunter2',
      '    secret: { file: /etc/weir/secret }',
      '    privateKey: |',
      '      hunter2',
      '      more of hunter2',
      '    group: staff',
    ].join('\n');
    const clean = redactYaml(config);
    doesNotMatch(clean, /hunter2/);
    for (const kept of ['keyFile: /etc/weir/keys', 'id: k1', '# a comment stays', 'secret: { file: /etc/weir/secret }', 'group: staff'])
      match(clean, new RegExp(kept.replace(/[{}/]/g, '\\$&')));
  });
});
