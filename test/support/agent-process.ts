// The program of an agent in a process of its own: settings from the environment, as a test sets them.
import { runAgent } from '../../agent/run.ts';

const { HUB = '', CLUSTER = '', TOKEN = '', CAPACITY_RPS = '' } = process.env;

process.exitCode = await runAgent({
  hub: HUB,
  cluster: CLUSTER,
  token: TOKEN,
  capacityRps: CAPACITY_RPS === '' ? null : Number(CAPACITY_RPS),
  periodMs: 200,
  caFile: null,
});
