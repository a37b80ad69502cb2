// Many agents on one controller over TLS: what they cost, and what it takes them to come back all at once, to a hub that goes on and to a
// controller that was killed, while health probes go on. `npm run endure -- agents --agents 1000 --seconds 30` does it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { AgentView } from '../../balancer/controller/api/views.ts';
import { type Appliance, exchange, startAppliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { named, startOrigin } from '../support/origin.ts';
import type { SwarmSettings } from '../support/agent-swarm-process.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { agents: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '30' } },
});
const [count, seconds] = [Number(values.agents), Number(values.seconds)];
assert.ok(count > 0 && seconds > 0, 'expected --agents N and --seconds N');

const SWARM = fileURLToPath(new URL('../support/agent-swarm-process.ts', import.meta.url));
const SETTLE_MS = 120_000;
/** Of the clusters so many are probed, each once a second, and an answer within half a second counts. */
const PROBED = 10;

/** CPU seconds a process has used: user and system time in hundredths, as Linux tells them. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function coreUsed(pid: number, overSeconds: number): Promise<number> {
  const before = cpuSeconds(pid);
  await delay(overSeconds * 1000);
  return (cpuSeconds(pid) - before) / overSeconds;
}

function makeToken(appliance: Appliance, cluster: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      socketPath: appliance.socketPath,
      path: '/v1/tokens',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    };
    const asking = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve((JSON.parse(body) as { readonly secret: string }).secret));
    });
    asking.on('error', reject);
    asking.end(JSON.stringify({ name: `agent-${cluster}`, role: 'agent', cluster }));
  });
}

async function agentsFresh(appliance: Appliance, sinceMs: number): Promise<number> {
  const answer = await exchange(new URL('/v1/agents', 'http://localhost'), { socketPath: appliance.socketPath, agent: false });
  const { items } = JSON.parse(answer.body) as { readonly items: readonly AgentView[] };
  const ageLimitMs = performance.now() - sinceMs;
  return items.filter(({ state, ageMs }) => state === 'fresh' && (ageMs ?? Infinity) < ageLimitMs).length;
}

interface Swarm {
  say(line: string): void;
  pid: number;
}

function startSwarm(t: TestContext, settings: SwarmSettings, directory: string): Swarm {
  const file = join(directory, 'swarm.json');
  writeFileSync(file, JSON.stringify(settings));
  const child = spawn(process.execPath, [SWARM], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  createInterface({ input: child.stdout }).on('line', (line) => t.diagnostic(`swarm: ${line}`));
  const say = (line: string): void => void child.stdin.write(`${line}\n`);
  say(`@${file}`);
  return { say, pid: child.pid ?? 0 };
}

/** Resolves with how long it took until every agent has reported anew. */
async function allBack(appliance: Appliance, sinceMs: number): Promise<number> {
  // Asked seldom: a list of a thousand agents costs the controller more than their reports.
  while ((await agentsFresh(appliance, sinceMs).catch(() => 0)) < count) {
    assert.ok(performance.now() - sinceMs < SETTLE_MS, 'every agent has reported anew');
    await delay(1000);
  }
  return (performance.now() - sinceMs) / 1000;
}

test(`${count} agents on one controller`, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-agents-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const authority = makeCertificate(directory, { names: ['authority.test'] });
  const { cert, key } = makeCertificate(directory, { names: ['127.0.0.1'], ca: authority });
  const origin = await startOrigin(t, named('one'));
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  const probed = '{ http: { path: /healthz }, interval: 1s, timeout: 500ms, fall: 100 }';
  const clusters = names.map(
    (name, index) => `  ${name}: { endpoints: ["${origin.endpoint}"], health: ${index < PROBED ? probed : 'none'} }`,
  );
  const yaml = `
agents: { bind: "127.0.0.1:0", tls: { certificates: [ { cert: ${JSON.stringify(cert)}, key: ${JSON.stringify(key)} } ] } }
clusters:
${clusters.join('\n')}
services:
  shop: { versions: { blue: { clusters: { c0: {}, c1: {}, c2: {} } } } }
routes:
  - { name: shop, match: { path: / }, service: shop }
`;
  const appliance = await startAppliance(t, { yaml, workers: 1 });
  const missed = (): Promise<number> => appliance.metricSum('weir_probes_total', { outcome: 'failure' });
  const controller = (): number => appliance.pids().controller;
  const tokens: Record<string, string> = {};
  for (const name of names) tokens[name] = await makeToken(appliance, name);
  const idle = await coreUsed(controller(), Math.min(10, seconds));

  const begunMs = performance.now();
  const swarm = startSwarm(
    t,
    { hub: `wss://127.0.0.1:${appliance.port('agents')}`, caFile: authority.cert, tokens, periodMs: 1000 },
    directory,
  );
  let usedBefore = cpuSeconds(controller());
  const first = await allBack(appliance, begunMs);
  const used = (): string => `${(cpuSeconds(controller()) - usedBefore).toFixed(1)} s of its CPU`;
  t.diagnostic(`all have reported for the first time after ${first.toFixed(1)} s, ${used()}; probes missed: ${await missed()}`);
  await delay(5000);
  const missedAtFirst = await missed();
  const busy = await coreUsed(controller(), seconds);
  t.diagnostic(
    `controller: ${(100 * idle).toFixed(1)} % of a core without agents, ${(100 * busy).toFixed(1)} % with ${count} at a report a second; ` +
      `${(100 * (busy - idle)).toFixed(1)} % is theirs; probes missed meanwhile: ${(await missed()) - missedAtFirst}`,
  );

  const missedBefore = await missed();
  usedBefore = cpuSeconds(controller());
  const cutMs = performance.now();
  swarm.say('drop');
  const back = await allBack(appliance, cutMs);
  await delay(2000);
  const missedByCut = (await missed()) - missedBefore;
  t.diagnostic(`all cut at once: back after ${back.toFixed(1)} s, ${used()}; probes missed: ${missedByCut}`);

  usedBefore = 0;
  const killedMs = performance.now();
  process.kill(controller(), 'SIGKILL');
  const restarted = await allBack(appliance, killedMs);
  await delay(2000);
  t.diagnostic(
    `controller killed: all back after ${restarted.toFixed(1)} s, ${used()} since it began; probes missed since: ${await missed()}`,
  );

  assert.ok(busy - idle <= 0.2, `${busy - idle} of a core`);
  assert.ok(back <= 30 && restarted <= 30, `${back} s, ${restarted} s`);
  assert.equal(missedByCut, 0);
  assert.equal(await missed(), 0);
});
