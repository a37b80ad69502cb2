// What every filter keeps to: it works as its page shows it, on any request and any response, and writes nothing that could end a field early.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { FILTERS } from '../../balancer/filter/registry.ts';
import type { Filter, FilterDefinition, RequestVerdict } from '../../balancer/filter/filter.ts';
import { ERRORS } from '../../balancer/errors.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import { aFilterEnvironment } from '../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../support/filter-options.ts';
import { aRequest } from '../support/request.ts';

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const NO_FIELD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

function assertFields(fields: Fields): void {
  assert.equal(fields.length % 2, 0);
  for (let i = 0; i < fields.length; i += 2) {
    assert.match(fields[i] ?? '', FIELD_NAME);
    assert.doesNotMatch(fields[i + 1] ?? '', NO_FIELD_VALUE);
  }
}

function assertVerdict(verdict: RequestVerdict, { answers = [] }: FilterDefinition): void {
  if (verdict === undefined || 'mostBytes' in verdict) return;
  assertFields([...verdict.fields]);
  if ('code' in verdict) assert.ok(verdict.detail !== '' && ERRORS[verdict.code].status >= 400 && answers.includes(verdict.code));
  else assert.ok(verdict.status >= 200 && verdict.status <= 599);
}

for (const definition of FILTERS) {
  const options = filterOptions(definition.name, definition.example, '{ acme: {} }');
  const create = (): Filter => definition.create(options, aFilterEnvironment());

  describe(`filter ${definition.name}`, () => {
    it('has a name of its own and says in a sentence what it does', () => {
      assert.equal(FILTERS.filter(({ name }) => name === definition.name).length, 1);
      assert.match(definition.name, /^[a-z][A-Za-z]*$/);
      assert.match(definition.summary, /^[A-Z].*\.$/);
    });

    it('works as its page shows it in at least one phase', () => {
      const { onRequest, onResponse, onEnd } = create();
      assert.ok([onRequest, onResponse, onEnd].some((phase) => phase !== undefined));
    });

    it('refuses options it does not know', () => {
      const more = JSON.stringify({ ...Object(parse(definition.example)), noSuchOption: 1 });
      assert.match(filterProblems(definition.name, more, '{ acme: {} }').join('\n'), /noSuchOption/);
    });

    it('answers plain requests or lets them through, and leaves fields well formed', async () => {
      const filter = create();
      for (const fields of [[], ['accept', '*/*', 'cookie', 'a=b'], ['x-request-id', 'mine', 'x-a', '\u00e9']]) {
        const request = aRequest({ fields: [...fields] });
        assertVerdict(await filter.onRequest?.(request), definition);
        assertFields(request.fields);
        for (const status of [200, 304, 404, 503]) {
          const response = { status, fields: [...fields] };
          filter.onResponse?.(request, response);
          assertFields(response.fields);
          assert.ok(response.status >= 200 && response.status <= 599);
        }
        const own = { body: '', code: 'access_denied' as const };
        const refused = { status: 403, fields: ['content-type', 'application/problem+json'], own };
        filter.onResponse?.(request, refused);
        assertFields(refused.fields);
        filter.onEnd?.(request, { status: 0, durationMs: 1 });
      }
    });

    it('lets the bodies of plain requests and responses through as they are', async () => {
      const filter = create();
      const request = aRequest({ method: 'POST', fields: ['content-type', 'text/plain'] });
      await filter.onRequest?.(request);
      const response = { status: 200, fields: ['content-type', 'text/plain'] };
      filter.onResponse?.(request, response);
      for (const body of [filter.onRequestBody?.(request), filter.onResponseBody?.(request, response)]) {
        const pieces = ['one', '', 'two'].map((piece) => body?.push(Buffer.from(piece)) ?? Buffer.from(piece));
        const last = body?.end(['x-sum', '1']) ?? { bytes: Buffer.alloc(0), trailers: ['x-sum', '1'] };
        assert.equal(Buffer.concat([...pieces, last.bytes]).toString(), 'onetwo');
        assert.deepEqual(last.trailers, ['x-sum', '1']);
      }
    });

    it('keeps nothing of one request for the next', async () => {
      const filter = create();
      const answers: Fields[] = [];
      for (let i = 0; i < 2; i += 1) {
        const request = aRequest();
        await filter.onRequest?.(request);
        const response = { status: 200, fields: [] };
        filter.onResponse?.(request, response);
        answers.push([...request.fields, ...response.fields]);
      }
      assert.deepEqual(answers[0], answers[1]);
    });
  });
}
