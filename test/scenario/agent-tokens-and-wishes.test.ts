// An operator and the agents of a cluster, by the command: a token that is rotated without a gap, one that two hosts know, and traffic that is announced.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAgent } from '../../agent/run.ts';
import { silentLog } from '../../balancer/log.ts';
import type { AgentView } from '../../balancer/controller/api/views.ts';
import { type Appliance, startAppliance } from '../support/appliance.ts';
import { PLAIN_AGENT } from '../support/plain-agent.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const WAIT_MS = 20_000;

async function agentOf(appliance: Appliance): Promise<AgentView> {
  const { stdout } = await appliance.weir('get', 'agents', 'one', '-o', 'json');
  const { items } = JSON.parse(stdout) as { readonly items: readonly AgentView[] };
  return items[0] ?? assert.fail('the cluster has no agent');
}

test('a token is rotated and made known elsewhere, and what will come is announced to the agent', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const hosts = await Promise.all([1, 2].map(() => startAppliance(t, { yaml: `${yaml}agents: { bind: "127.0.0.1:0" }\n`, workers: 1 })));
  const [one = assert.fail(), two = assert.fail()] = hosts;
  const file = join(one.directory, 'agent.token');
  const made = await one.weir('agent', 'token', 'one');
  assert.equal(made.code, 0, made.stderr);
  writeFileSync(file, made.stdout);

  // The same token at the other host, which gets its hash only.
  const known = await two.weir('agent', 'token', 'one', '--same-as', file);
  assert.deepEqual([known.code, known.stdout], [0, ''], known.stderr);
  let token = made.stdout.trim();
  const abort = new AbortController();
  const measure = (): Promise<{ cpuUtilisation: number; memoryUtilisation: number; cores: number; loadAverage1m: number }> =>
    Promise.resolve({ cpuUtilisation: 0.25, memoryUtilisation: 0.5, cores: 4, loadAverage1m: 1.5 });
  const hubs = hosts.map((host) => `ws://127.0.0.1:${host.port('agents')}`);
  const ended = runAgent({ ...PLAIN_AGENT, hubs, cluster: 'one', token: () => token }, { log: silentLog, measure, signal: abort.signal });
  t.after(async () => {
    abort.abort();
    await ended;
  });
  for (const host of hosts) await until(async () => (await agentOf(host)).state === 'fresh', 'the agent reports', WAIT_MS);

  const rotated = await one.weir('agent', 'token', 'one', '--rotate', '--keep', '1h');
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(rotated.stderr, /token agent-one-2, role agent[^]*token agent-one is valid until 20/);
  assert.equal((await agentOf(one)).state, 'fresh', 'the old one is good yet');
  const third = await one.weir('agent', 'token', 'one', '--rotate');
  assert.equal(third.code, 6, 'no third one');
  assert.match(third.stderr, /agent-one \(until 20.*\) and agent-one-2 are valid for one, and no more than 2 are/);
  token = rotated.stdout.trim();
  assert.equal((await one.weir('token', 'revoke', 'agent-one')).code, 0);
  await until(async () => (await agentOf(one)).state === 'fresh', 'the agent is back with the new one', WAIT_MS);

  const announced = await one.weir('agent', 'expect', 'one', 'shop', '1800', '--in', '2m', '--for', '15m', '-o', 'json');
  assert.equal(announced.code, 0, announced.stderr);
  await until(async () => (await agentOf(one)).wishes?.[0]?.state === 'refused', 'the agent has answered', WAIT_MS);
  const { wishes } = await agentOf(one);
  assert.deepEqual(
    [wishes?.[0]?.text, wishes?.[0]?.detail],
    ['expect 1800 requests/s of shop', 'this agent may not raise autoscalers: it was started without --prescale'],
  );
  assert.equal((await one.weir('drain', 'one', '--yes', '--reason', 'test')).code, 0);
  await until(
    async () => (await agentOf(one)).wishes?.some(({ id, state }) => id === 'drain' && state === 'taken') ?? false,
    'and knows of the drain',
    WAIT_MS,
  );
  assert.equal((await one.weir('agent', 'expect', 'one', 'shop', '0')).code, 0);
  assert.deepEqual(
    (await agentOf(one)).wishes?.map(({ id }) => id),
    ['drain'],
  );
  for (const [words, code] of [
    [['agent', 'expect', 'moon', 'shop', '1'], 5],
    [['agent', 'expect', 'one', 'moon', '1'], 5],
    [['agent', 'expect', 'one', 'shop', 'many'], 2],
    [['agent', 'token', 'one', '--keep', '1h'], 2],
    [['agent', 'token', 'one', '--same-as', one.configFile], 2],
  ] as const)
    assert.equal((await one.weir(...words)).code, code, words.join(' '));
});
