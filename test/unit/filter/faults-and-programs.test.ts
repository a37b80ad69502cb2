// Requests that wait or fail on purpose, and programs that are kept away by what they call themselves.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fault } from '../../../balancer/filter/fault.ts';
import { userAgents } from '../../../balancer/filter/user-agents.ts';
import type { RequestVerdict } from '../../../balancer/filter/filter.ts';
import { aFilterEnvironment } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { aRequest } from '../../support/request.ts';

const statusOf = (verdict: RequestVerdict): number => (verdict !== undefined && 'status' in verdict ? verdict.status : 0);

describe('a fault', () => {
  it('meets the part of the requests that is asked for', async () => {
    const filter = fault.create(filterOptions('fault', '{ abort: { status: 500, percent: 20% } }'), aFilterEnvironment());
    let failed = 0;
    for (let i = 0; i < 10_000; i += 1) if (statusOf(await filter.onRequest?.(aRequest())) === 500) failed += 1;
    // Five standard deviations, √(10,000 · 0.2 · 0.8) = 40, to each side.
    assert.ok(failed > 1800 && failed < 2200, `${failed}`);
  });

  it('lets a request wait as long as it is asked for, and then fail or go on', async () => {
    const clock = new ManualClock();
    const environment = aFilterEnvironment({ clock });
    for (const [more, status] of [
      ['', 0],
      [', abort: { status: 504 }', 504],
    ] as const) {
      const filter = fault.create(filterOptions('fault', `{ delay: { time: 3s }${more} }`), environment);
      let verdict: RequestVerdict | 'waits' = 'waits';
      const waiting = Promise.resolve(filter.onRequest?.(aRequest())).then((later) => (verdict = later));
      clock.advance(2999);
      await Promise.resolve();
      assert.equal(verdict, 'waits');
      clock.advance(1);
      assert.equal(statusOf(await waiting), status);
    }
  });

  it('meets only requests with the field that is named, and never the service', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end());
    const filters = [{ fault: { abort: { status: 418 }, header: 'X-Chaos', value: 'yes' } }];
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters } });
    const status = async (headers: Record<string, string>): Promise<number> => (await fetch(proxy.url, { headers })).status;
    assert.deepEqual([await status({}), await status({ 'x-chaos': 'no' }), await status({ 'x-chaos': 'yes' })], [200, 200, 418]);
    assert.equal(origin.requests.length, 2);
  });

  it('says what it lacks', () => {
    assert.match(filterProblems('fault', '{}').join(), /name delay, abort or both/);
    assert.match(filterProblems('fault', '{ abort: {}, value: a }').join(), /value does nothing without header/);
    assert.match(filterProblems('fault', '{ delay: { time: 5m } }').join(), /expected at most 60s/);
  });
});

describe('a program', () => {
  const verdict = async (options: string, name: string | null): Promise<string> => {
    const filter = userAgents.create(filterOptions('userAgents', options), aFilterEnvironment());
    const answer = await filter.onRequest?.(aRequest({ fields: name === null ? [] : ['user-agent', name] }));
    return answer !== undefined && 'code' in answer ? answer.code : 'goes on';
  };

  it('is let on or refused by the first rule that fits, whatever its case', async () => {
    const options = '{ rules: [{ allow: "goodbot/.*" }, { deny: ".*bot.*" }] }';
    assert.equal(await verdict(options, 'GoodBot/2.1'), 'goes on');
    assert.equal(await verdict(options, 'Mozilla/5.0 (compatible; OtherBot)'), 'access_denied');
    assert.equal(await verdict(options, 'x goodbot/2'), 'access_denied');
    assert.equal(await verdict(options, 'curl/8'), 'goes on');
    assert.equal(await verdict('{ rules: [{ allow: "curl/.*" }], otherwise: deny }', 'wget'), 'access_denied');
  });

  it('that says nothing of itself is refused only where that is asked for', async () => {
    assert.equal(await verdict('{ rules: [{ deny: ".*" }] }', null), 'goes on');
    assert.equal(await verdict('{ rules: [{ deny: x }], missing: deny }', null), 'access_denied');
    assert.equal(await verdict('{ rules: [{ deny: x }], missing: deny }', ''), 'access_denied');
  });

  it('is not looked for by patterns that could take long', () => {
    assert.match(filterProblems('userAgents', '{ rules: [{ deny: "(a)\\\\1" }] }').join(), /is not a pattern that can be used/);
    assert.match(filterProblems('userAgents', '{ rules: [{ deny: a, allow: b }] }').join(), /2 keys stand together/);
  });
});
