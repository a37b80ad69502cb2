// The filters hold a slot while a request runs: several limits at once, whoever leaves while it waits, shadows, exemptions, and what is told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitConfig } from '../../../../balancer/config/limit-config.ts';
import { Consumers } from '../../../../balancer/filter/authenticate/consumers.ts';
import type { Filter, RequestVerdict } from '../../../../balancer/filter/filter.ts';
import { rateLimit } from '../../../../balancer/filter/rate-limit/rate-limit.ts';
import type { Fields } from '../../../../balancer/message/fields.ts';
import type { CanonicalRequest } from '../../../../balancer/message/request.ts';
import { aConsumer, aFilterEnvironment } from '../../../support/filter-environment.ts';
import { aLimit } from '../../../support/limit.ts';
import { aRequest } from '../../../support/request.ts';
import { SlotHost } from '../../../support/slot-host.ts';

const ENDED = { status: 200, durationMs: 1 };

/** A filter of the first of two workers. */
class Limited {
  readonly host: SlotHost;
  readonly filter: Filter;

  constructor(...limits: readonly LimitConfig[]) {
    const [first = aLimit()] = limits;
    this.host = new SlotHost(first, 2, limits);
    this.filter = rateLimit.create(
      { limits: limits.map(({ name }) => name), cost: 1, mostCost: 1000 },
      aFilterEnvironment({
        slots: this.host.process(0).slots,
        limits: Object.fromEntries(limits.map((limit) => [limit.name, limit])),
        consumers: new Consumers([aConsumer('acme', { plan: 'gold' }), aConsumer('other')], null),
      }),
    );
  }

  async ask(request: CanonicalRequest): Promise<RequestVerdict> {
    const asked = this.filter.onRequest?.(request);
    await this.host.quiet();
    return asked;
  }

  end(request: CanonicalRequest): void {
    this.filter.onEnd?.(request, ENDED);
  }

  running(limit: string): number {
    return this.host.process(0).slots.counts().get(limit) ?? 0;
  }
}

const atOnce = (limit: number, parts: Partial<LimitConfig> = {}): LimitConfig => aLimit({ algorithm: 'concurrency', limit, ...parts });
const codeOf = (verdict: RequestVerdict): string => (verdict !== undefined && 'code' in verdict ? verdict.code : 'goes on');
const from = (consumer: string): CanonicalRequest =>
  aRequest({ identity: { consumer, method: 'key', credential: '', groups: [], scopes: [], claims: null } });

describe('a slot', () => {
  it('is held while the request runs, and given back once, however often its end is told', async () => {
    const limited = new Limited(atOnce(1));
    const request = aRequest();
    assert.equal(codeOf(await limited.ask(request)), 'goes on');
    assert.equal(codeOf(await limited.ask(aRequest())), 'too_many_at_once');
    limited.end(request);
    limited.end(request);
    assert.equal(limited.running('all'), 0);
    limited.host.clock.advance(100);
    assert.equal(codeOf(await limited.ask(aRequest())), 'goes on');
  });

  it('of a client that left while it waited goes back', async () => {
    const limited = new Limited(atOnce(3));
    const request = aRequest();
    const asked = limited.filter.onRequest?.(request);
    assert.ok(asked instanceof Promise);
    limited.end(request);
    await limited.host.quiet();
    await asked;
    assert.equal(limited.running('all'), 0);
  });

  it('of one limit goes back where another refuses', async () => {
    const limited = new Limited(atOnce(5, { name: 'many' }), atOnce(1, { name: 'one' }));
    await limited.ask(aRequest());
    const refused = aRequest();
    assert.equal(codeOf(await limited.ask(refused)), 'too_many_at_once');
    limited.end(refused);
    assert.deepEqual([limited.running('many'), limited.running('one')], [1, 1]);
  });

  it('is needed by nobody who is exempt or where the limit is a shadow', async () => {
    const shadow = new Limited(atOnce(1, { shadow: true }));
    assert.deepEqual([codeOf(await shadow.ask(aRequest())), codeOf(await shadow.ask(aRequest()))], ['goes on', 'goes on']);
    const exempt = new Limited(atOnce(1, { exemptConsumers: ['acme'] }));
    assert.deepEqual([codeOf(await exempt.ask(from('acme'))), codeOf(await exempt.ask(from('acme')))], ['goes on', 'goes on']);
    assert.equal(exempt.running('all'), 0);
  });

  it('is one of the plan of the caller, as the answer tells', async () => {
    const limited = new Limited(atOnce(1, { by: [{ kind: 'consumer' }], ofPlans: { gold: 3 }, headers: 'draft-11' }));
    const verdicts: string[] = [];
    for (const consumer of ['acme', 'acme', 'acme', 'acme', 'other', 'other']) verdicts.push(codeOf(await limited.ask(from(consumer))));
    assert.deepEqual(verdicts, ['goes on', 'goes on', 'goes on', 'too_many_at_once', 'goes on', 'too_many_at_once']);
    const request = from('acme');
    await limited.ask(request);
    const fields: Fields = [];
    limited.filter.onResponse?.(request, { status: 200, fields });
    assert.deepEqual(fields, ['ratelimit-policy', '"all";q=3;qu="concurrent-requests"', 'ratelimit', '"all";r=0']);
  });
});

it('a route without such a limit has nothing to do at the end of a request', () => {
  assert.equal(new Limited(aLimit()).filter.onEnd, undefined);
});
