// Tokens of a fleet, with hosts and a Redis that are real: made on one host they are good on all within a second, revoked on another on none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAgent } from '../../agent/run.ts';
import { silentLog } from '../../balancer/log.ts';
import type { AgentView, EdgeView, TokenView } from '../../balancer/controller/api/views.ts';
import type { Appliance } from '../support/appliance.ts';
import { runWeir } from '../support/command.ts';
import { makeFleetKeys, startFleetHost } from '../support/fleet-hosts.ts';
import { PLAIN_AGENT } from '../support/plain-agent.ts';
import { startRedis } from '../support/redis-server.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** Beats are a second apart, and many processes of many tests share the machine. */
const SETTLE_MS = 20_000;

/** The admin API of a host, for the holder of a token, over the network. */
function ask(host: Appliance, path: string, token: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${host.port('admin')}/v1/${path}`, { headers: { authorization: `Bearer ${token}` } });
}

async function statusFor(host: Appliance, token: string): Promise<number> {
  const answer = await ask(host, 'status', token);
  await answer.arrayBuffer();
  return answer.status;
}

async function listOf<T>(host: Appliance, kind: string, token: string): Promise<readonly T[]> {
  return ((await (await ask(host, kind, token)).json()) as { readonly items: readonly T[] }).items;
}

/** Well done, within a second of the command, as its answer says what all hosts know. */
async function within(what: string, isSo: () => Promise<boolean>, ms = 1000): Promise<void> {
  const startedMs = performance.now();
  await until(isSo, what, SETTLE_MS);
  const tookMs = Math.round(performance.now() - startedMs);
  assert.ok(tookMs <= ms, `${what} after ${tookMs} ms`);
}

test('one token opens every host of a fleet, and none when it is revoked', { timeout: 120_000 }, async (t) => {
  const redis = await startRedis(t);
  const { yaml } = await startTwoClusters(t);
  const keys = makeFleetKeys(t);
  const start = (name: string): Promise<Appliance> =>
    startFleetHost(t, { name, yaml: `${yaml}agents: { bind: "127.0.0.1:0" }\n`, redisPort: redis.port, keys });
  const hosts = await Promise.all([start('edge-1'), start('edge-2'), start('edge-3')]);
  const [one, two, three] = hosts;
  const watcher = (await one.weir('token', 'create', 'watcher', '--role', 'admin')).stdout.trim();
  for (const host of hosts)
    await until(
      async () => (await statusFor(host, watcher)) === 200 && (await listOf<EdgeView>(host, 'edges', watcher)).length === 3,
      'all know each other',
      SETTLE_MS,
    );
  const agentIsConnected = async (host: Appliance): Promise<boolean> =>
    (await listOf<AgentView>(host, 'agents', watcher)).some(({ cluster, connected }) => cluster === 'one' && connected);

  await t.test('of a person: the host that joins has nobody but its own root, who makes the first one', async () => {
    const made = await one.weir('token', 'create', 'alice', '--role', 'admin');
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stderr, /token alice, role admin, valid until it is revoked on 3\/3 hosts; it is not shown again/);
    const token = made.stdout.trim();
    await within('it is good on all', async () =>
      (await Promise.all(hosts.map((host) => statusFor(host, token)))).every((status) => status === 200),
    );
    // What she asks of another host is hers in the audit of all.
    const asked = await runWeir(['shift', 'shop', 'green=30', '--yes'], {
      server: `http://127.0.0.1:${two.port('admin')}`,
      env: { WEIR_TOKEN: token },
    });
    assert.equal(asked.code, 0, asked.stderr);
    const { stdout: history } = await three.weir('history', '--limit', '2');
    assert.match(history, /alice .*shift shop green=30[^]*token make alice \(admin\)/);
    assert.ok(!history.includes(token.slice(-43)));
    const listed = (await listOf<TokenView>(two, 'tokens', watcher)).find(({ name }) => name === 'alice');
    assert.deepEqual([listed?.scope, listed?.refused, listed?.lastUsedAt === null], ['fleet', false, false]);
    const revoked = await three.weir('token', 'revoke', 'alice');
    assert.equal(revoked.code, 0, revoked.stderr);
    await within('it is good on none', async () =>
      (await Promise.all(hosts.map((host) => statusFor(host, token)))).every((status) => status === 401),
    );
  });

  await t.test('of an agent: it reports to all hosts with one token, changes to another, and is let go of by all', async (t) => {
    let token = (await two.weir('agent', 'token', 'one')).stdout.trim();
    const abort = new AbortController();
    const measure = () => Promise.resolve({ cpuUtilisation: 0.25, memoryUtilisation: 0.5, cores: 4, loadAverage1m: 1.5 });
    const hubs = hosts.map((host) => `ws://127.0.0.1:${host.port('agents')}`);
    const ended = runAgent({ ...PLAIN_AGENT, hubs, cluster: 'one', token: () => token }, { log: silentLog, measure, signal: abort.signal });
    t.after(async () => {
      abort.abort();
      await ended;
    });
    const onAll = async (connected: boolean): Promise<boolean> =>
      (await Promise.all(hosts.map(agentIsConnected))).every((is) => is === connected);
    await until(() => onAll(true), 'the agent reports to all', SETTLE_MS);
    const rotated = await three.weir('agent', 'token', 'one', '--rotate', '--keep', '1h');
    assert.match(rotated.stderr, /token agent-one-2, role agent, .* on 3\/3 hosts[^]*token agent-one is valid until 20/, rotated.stderr);
    assert.ok(await onAll(true), 'the old one is good yet');
    token = rotated.stdout.trim();
    assert.equal((await one.weir('token', 'revoke', 'agent-one')).code, 0);
    await until(() => onAll(true), 'it is back with the new one', SETTLE_MS);
    assert.equal((await two.weir('token', 'revoke', 'agent-one-2')).code, 0);
    await until(() => onAll(false), 'all let go of it', SETTLE_MS);
  });

  await t.test('a host that is away when one is revoked is named, and refuses it when it is back', async () => {
    const token = (await one.weir('token', 'create', 'ci', '--role', 'read')).stdout.trim();
    await until(async () => (await statusFor(three, token)) === 200, 'it is good', SETTLE_MS);
    const { controller } = three.pids();
    process.kill(controller, 'SIGSTOP');
    const revoked = await one.weir('token', 'revoke', 'ci');
    process.kill(controller, 'SIGCONT');
    assert.equal(revoked.code, 8, revoked.stderr);
    assert.match(revoked.stderr, /not known yet to edge-3 \(.*\): it is good there yet/);
    await until(async () => (await statusFor(three, token)) === 401, 'it is refused', SETTLE_MS);
  });

  await t.test(
    'without Redis those that are known are good, none is made for all, and one host alone can make one and refuse one',
    async () => {
      const token = (await one.weir('token', 'create', 'night', '--role', 'read')).stdout.trim();
      await until(async () => (await statusFor(two, token)) === 200, 'it is good', SETTLE_MS);
      await redis.kill();
      assert.equal(await statusFor(two, token), 200);
      const refused = await two.weir('token', 'create', 'more', '--role', 'read');
      assert.equal(refused.code, 3, refused.stderr);
      assert.match(refused.stderr, /To make one of this host alone: --local/);
      const own = await two.weir('token', 'create', 'more', '--role', 'read', '--local');
      assert.equal(own.code, 0, own.stderr);
      assert.deepEqual([await statusFor(two, own.stdout.trim()), await statusFor(one, own.stdout.trim())], [200, 401]);
      const barred = await two.weir('token', 'revoke', 'night', '--local');
      assert.equal(barred.code, 0, barred.stderr);
      assert.match(
        barred.stderr,
        /night is revoked on this host alone; all others take it until the fleet can be told: weir token revoke night/,
      );
      assert.deepEqual([await statusFor(two, token), await statusFor(one, token)], [401, 200]);
    },
  );
});
