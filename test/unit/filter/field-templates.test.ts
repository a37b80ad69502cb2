// Fields that tell of the request: what templates may hold, what their values cannot do, and edits of fields in their order.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { headers } from '../../../balancer/filter/headers.ts';
import type { Fields } from '../../../balancer/message/fields.ts';
import type { CanonicalRequest } from '../../../balancer/message/request.ts';
import { aFilterEnvironment, asRecord } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { aRequest } from '../../support/request.ts';

async function edited(options: string, facts: Partial<CanonicalRequest> = {}): Promise<Fields> {
  const request = aRequest(facts);
  await headers.create(filterOptions('headers', options), aFilterEnvironment()).onRequest?.(request);
  return request.fields;
}

const filled = async (template: string, facts: Partial<CanonicalRequest> = {}): Promise<string | undefined> =>
  asRecord(await edited(`{ request: { set: { x-told: ${JSON.stringify(template)} } } }`, facts))['x-told'];

const CALLER = {
  consumer: 'acme',
  method: 'jwt',
  credential: 'k1',
  groups: ['partners', 'eu'],
  scopes: [],
  claims: { sub: 'u-1', roles: ['a', 'b'], realm: { id: 7 }, name: 'Jos\u00e9', evil: 'x\r\nset-cookie: a=b', deep: {} },
};

describe('a value of a field', () => {
  it('tells of the request', async () => {
    const facts = {
      path: '/a/b/c',
      query: 'q=1%0d%0a&r=%C3%A9',
      hasQuery: true,
      identity: CALLER,
      fields: ['cookie', 'a=1; s=abc', 'x-in', 'seen'],
    };
    const told = async (template: string): Promise<string | undefined> => filled(template, facts);
    assert.equal(await told('${request.id} ${request.method} ${request.scheme} ${request.host}'), 'test-1 GET http shop.example');
    assert.equal(await told('${request.path}?${request.query}'), '/a/b/c?q=1%0d%0a&r=%C3%A9');
    assert.equal(await told('${path.1}-${path.3}-${path.4}'), 'a-c-');
    assert.equal(await told('${client.address} ${listener}'), '203.0.113.1 web');
    assert.equal(await told('${consumer} ${consumer.groups} ${consumer.credential}'), 'acme partners,eu k1');
    assert.equal(await told('${claims.sub} ${claims.roles} ${claims.realm/id}'), 'u-1 a,b 7');
    assert.equal(await told('${header.X-In} ${cookie.s} ${query.q}'), 'seen abc 1%0d%0a');
  });

  it('sets nothing where it comes out empty, and leaves nothing of the client under its name', async () => {
    const options =
      '{ request: { set: { x-consumer-name: "${consumer}" }, add: { x-b: "${claims.sub}" }, append: { x-c: "${header.gone}" } } }';
    assert.deepEqual(await edited(options, { fields: ['x-consumer-name', 'admin'] }), []);
  });

  it('cannot end the field early, whatever a caller sends', async () => {
    for (const claim of ['evil', 'deep', 'gone']) assert.equal(await filled(`\${claims.${claim}}`, { identity: CALLER }), undefined);
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\r\nb', 'a\nb', 'a\0b', '\u010a', '\u560a\u560d', '\u0085'));
    await fc.assert(
      fc.asyncProperty(value, async (sent) => {
        const identity = { ...CALLER, consumer: sent, credential: sent, groups: [sent], claims: { sub: sent } };
        const facts = { identity, path: `/${sent}`, fields: ['x-in', sent, 'cookie', `a=${sent}`], clientAddress: sent };
        const template = '<${consumer}|${consumer.groups}|${claims.sub}|${path.1}|${header.x-in}|${cookie.a}|${client.address}>';
        const told = (await filled(template, facts)) ?? '';
        assert.match(told, /^<[\t\x20-\x7e\x80-\xff]*>$/);
      }),
    );
  });

  it('of a response may tell its status', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.writeHead(404, { 'x-old': 'a' }).end());
    const filters = [
      {
        headers: {
          response: {
            rename: { 'x-old': 'x-new' },
            set: { 'x-was': '${response.status} ${request.id}' },
            append: { vary: 'x-a', 'x-new': 'b' },
          },
        },
      },
    ];
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters } });
    const { headers: got } = await fetch(proxy.url);
    assert.match(got.get('x-was') ?? '', /^404 [0-9a-z-]{20,}$/);
    assert.deepEqual([got.get('x-old'), got.get('x-new'), got.get('vary')], [null, 'a, b', 'x-a']);
  });
});

describe('edits of fields', () => {
  it('remove, rename, set, add and append, in this order', async () => {
    const options =
      '{ request: { remove: [x-a], rename: { x-b: x-a, x-c: x-b }, set: { X-D: "1" }, add: { x-d: "2" }, append: { x-d: "3", x-e: "4" } } }';
    const fields = ['x-a', 'gone', 'x-b', 'was b', 'x-c', 'was c', 'x-d', 'gone'];
    assert.deepEqual(await edited(options, { fields }), ['x-a', 'was b', 'x-b', 'was c', 'x-d', '1, 3', 'x-d', '2', 'x-e', '4']);
  });

  it('are refused where they would change the framing, in every form', () => {
    for (const edit of ['set: { host: a }', 'rename: { x-a: Content-Length }', 'rename: { te: x-a }', 'append: { connection: x-a }'])
      assert.match(filterProblems('headers', `{ request: { ${edit} } }`).join(), /message framing/, edit);
  });
});

describe('a template that cannot work', () => {
  const problem = (template: string, side = 'request', how = 'set'): string =>
    filterProblems('headers', `{ ${side}: { ${how}: { x-a: ${JSON.stringify(template)} } } }`).join('\n');

  it('names the place, what stands for nothing, and what was meant', () => {
    assert.match(
      problem('${requst.id}'),
      /^routes\[0\]\.filters\[0\]\.headers\.request\.set\.x-a: "\$\{requst\.id\}" stands for nothing here; did you mean "\$\{request\.id\}"\?$/,
    );
    assert.match(problem('${claim.sub}'), /did you mean "\$\{claims\.NAME\}"/);
    assert.match(problem('${env.HOME}'), /expected one of request\.id, .*claims\.NAME/);
    assert.match(problem('${response.status}'), /there is no response yet/);
    assert.equal(problem('${response.status}', 'response'), '');
  });

  it('is told how it is closed, and how the characters themselves are written', async () => {
    assert.match(problem('a ${request.id'), /is not closed; write \$\{NAME\}, or \$\$\{/);
    assert.equal(await filled('$${request.id} $5 {a}'), '${request.id} $5 {a}');
    assert.match(problem('${path.0}'), /1 to 99/);
    assert.match(problem('${header.a b}'), /not a name/);
  });

  it('has no line ends of its own, and appends to no cookie', () => {
    assert.match(problem('a\r\nb'), /a line end would begin another field/);
    assert.match(filterProblems('headers', '{ response: { append: { Set-Cookie: a=b } } }').join(), /not a list; write it under add/);
  });
});
