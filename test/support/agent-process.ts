// The program of an agent in a process of its own: settings from the environment, as a test sets them.
import { runAgent } from '../../agent/run.ts';
import { PLAIN_AGENT } from './plain-agent.ts';

const { HUB = '', CLUSTER = '', TOKEN = '', CAPACITY_RPS = '' } = process.env;

process.exitCode = await runAgent({
  ...PLAIN_AGENT,
  hubs: HUB.split(','),
  cluster: CLUSTER,
  token: TOKEN,
  capacityRps: CAPACITY_RPS === '' ? null : Number(CAPACITY_RPS),
  periodMs: 200,
});
