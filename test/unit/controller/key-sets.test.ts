// Keys of issuers in the controller, under a virtual clock: fetched, kept, asked for again, and never asked for too often.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { loadConfig } from '../../../balancer/config/load.ts';
import { EXTENSIONS } from '../../../balancer/registries.ts';
import { SMALL_CONFIG, TEST_ENVIRONMENT } from '../../support/config-text.ts';
import { fetchKeys, KeySets } from '../../../balancer/controller/key-sets.ts';
import type { GetOutcome } from '../../../balancer/controller/bounded-get.ts';
import type { IssuerConfig } from '../../../balancer/config/issuer-config.ts';
import type { KeySetMessage } from '../../../balancer/ipc-keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const URL = 'https://login.example/jwks';
const MINUTE_MS = 60_000;
const key = (kid: string): object => ({ kty: 'OKP', crv: 'Ed25519', kid, x: 'AA' });
const answer = (...kids: readonly string[]): GetOutcome => ({
  ok: true,
  answer: { status: 200, body: JSON.stringify({ keys: kids.map(key) }) },
});
const DOWN: GetOutcome = { ok: false, problem: 'no answer (ECONNREFUSED)' };

function issuer(url: string): IssuerConfig {
  return {
    ...{ name: 'login', issuer: 'https://login.example', audiences: [], algorithms: ['EdDSA'], leewayMs: 0, type: null },
    ...{ consumerClaim: 'sub', scopeClaim: 'scope', groupsClaim: null, keys: { kind: 'url', url, ca: null } },
  };
}

describe('the keys of an issuer', () => {
  let clock = new ManualClock();
  let next: GetOutcome = answer('a');
  let fetches = 0;
  let sent: KeySetMessage[] = [];
  let told: string[] = [];
  const values = new Map<string, string>();
  const store = {
    getValue: (name: string) => values.get(name) ?? null,
    putValue: (name: string, value: string) => void values.set(name, value),
  };

  const start = (): KeySets => {
    const sets = new KeySets({
      ...{ clock, random: () => 0.5, store },
      fetch: () => {
        fetches += 1;
        return Promise.resolve(next);
      },
      send: (message) => void sent.push(message),
      tell: (text) => void told.push(text),
      count: () => undefined,
    });
    sets.follow({ issuers: { login: issuer(URL) } });
    return sets;
  };
  const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settled();
  };
  const kids = (): readonly unknown[] => (sent.at(-1)?.keys ?? []).map((one): unknown => Reflect.get(one, 'kid'));

  beforeEach(() => {
    clock = new ManualClock();
    [next, fetches, sent, told] = [answer('a'), 0, [], []];
    values.clear();
  });

  it('are fetched at once and every five minutes, and sent when they changed', async () => {
    start();
    await settled();
    assert.deepEqual([fetches, kids(), sent.length], [1, ['a'], 2]);
    await pass(5 * MINUTE_MS);
    assert.deepEqual([fetches, sent.length], [2, 2]);
    next = answer('b');
    await pass(5 * MINUTE_MS);
    assert.deepEqual([fetches, kids()], [3, ['b']]);
    assert.ok((sent.at(-1)?.version ?? 0) > (sent.at(-2)?.version ?? 0));
  });

  it('are fetched again when a token names another one, at most twice a minute', async () => {
    const sets = start();
    await settled();
    next = answer('a', 'b');
    await sets.wanted(URL);
    assert.deepEqual([fetches, kids()], [1, ['a']], 'too soon: the worker hears what there is');
    await pass(30_000);
    await Promise.all([sets.wanted(URL), sets.wanted(URL), sets.wanted(URL)]);
    assert.deepEqual([fetches, kids()], [2, ['a', 'b']]);
    await sets.wanted(URL);
    assert.equal(fetches, 2);
    await sets.wanted('https://elsewhere.example/');
    assert.equal(fetches, 2);
  });

  it('stay when they cannot be fetched, for a day; it is told once', async () => {
    start();
    await settled();
    next = DOWN;
    for (let minute = 0; minute < 24 * 60 - 10; minute += 1) await pass(MINUTE_MS);
    assert.deepEqual([kids(), told.length], [['a'], 1]);
    for (let minute = 0; minute < 20; minute += 1) await pass(MINUTE_MS);
    assert.deepEqual([kids(), told.length], [[], 2]);
    next = answer('a');
    await pass(MINUTE_MS + 10_000);
    assert.deepEqual([kids(), told.length], [['a'], 3]);
  });

  it('that never came are asked for again soon, and less and less often', async () => {
    next = DOWN;
    start();
    await settled();
    for (let second = 0; second < 60; second += 1) await pass(1000);
    assert.ok(fetches >= 5 && fetches <= 8, `${fetches}`);
    assert.deepEqual(sent.at(-1), { type: 'key_set', url: URL, version: 0, keys: [] });
  });

  it('are there after a restart before anything is fetched, and what is no key set changes nothing', async () => {
    const first = start();
    await settled();
    first.close();
    sent = [];
    next = { ok: true, answer: { status: 200, body: '<html>' } };
    start();
    assert.deepEqual(kids(), ['a']);
    await settled();
    assert.deepEqual(kids(), ['a']);
  });

  it('are forgotten with their issuer', async () => {
    const sets = start();
    await settled();
    sets.follow({ issuers: {} });
    await pass(10 * MINUTE_MS);
    assert.equal(fetches, 1);
  });
});

describe('the document of an issuer', () => {
  const serving = async (t: TestContext, document: (origin: string) => object): Promise<string> => {
    const server = createServer((request, response) => {
      const { port } = server.address() as AddressInfo;
      const origin = `http://127.0.0.1:${port}`;
      const said =
        request.url === '/.well-known/openid-configuration' ? document(origin) : request.url === '/keys' ? { keys: [key('a')] } : null;
      response.writeHead(said === null ? 404 : 200).end(JSON.stringify(said));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const fetched = (origin: string, issuer = origin): Promise<GetOutcome> =>
    fetchKeys({ url: `${origin}/.well-known/openid-configuration`, ca: null, discovers: issuer }, AbortSignal.timeout(5000));

  it('says where its keys are', async (t) => {
    const origin = await serving(t, (own) => ({ issuer: own, jwks_uri: `${own}/keys` }));
    const outcome = await fetched(origin);
    assert.ok(outcome.ok);
    assert.deepEqual(JSON.parse(outcome.answer.body), { keys: [key('a')] });
  });

  it('is believed about itself alone, and about keys that nobody on the way can change', async (t) => {
    const origin = await serving(t, (own) => ({ issuer: own, jwks_uri: 'http://keys.example/keys' }));
    const problems = [await fetched(origin), await fetched(origin, 'https://login.example'), await fetched(`${origin}/tenant`)];
    assert.deepEqual(
      problems.map((outcome) => (outcome.ok ? 'ok' : outcome.problem)),
      [
        'its document says that keys come in the clear',
        'its document is of another issuer, and not of https://login.example, character by character',
        'its document is answered 404',
      ],
    );
  });

  it('needs no keys in the file, but an issuer that is a URL', () => {
    const keysOf = (issuer: string): unknown => {
      const result = loadConfig(
        { file: '/etc/weir/weir.yaml', text: `${SMALL_CONFIG}issuers: { staff: { issuer: "${issuer}" } }\n` },
        EXTENSIONS,
        TEST_ENVIRONMENT,
      );
      return result.ok ? result.config.issuers['staff']?.keys : result.problems.map(({ path, message }) => `${path}: ${message}`).join();
    };
    const url = 'https://login.example/realm/.well-known/openid-configuration';
    assert.deepEqual(keysOf('https://login.example/realm'), { kind: 'url', url, ca: null, discovers: 'https://login.example/realm' });
    assert.match(String(keysOf('staff')), /^issuers\.staff\.keys: is missing, and issuer "staff" is no URL/);
    assert.match(String(keysOf('http://login.example')), /^issuers\.staff\.issuer: .*write https:\/\//);
  });
});
