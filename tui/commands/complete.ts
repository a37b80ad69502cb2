// weir __complete: what the completion scripts of the shells call; prints one candidate a line and never fails.
import type { ClusterView, ServiceView } from '../../balancer/controller/api/views.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { type LookUp, complete } from '../complete.ts';
import { EXIT } from '../exit.ts';
import { COMMAND_GROUPS } from '../registry.ts';

/** A shell waits for this; longer than that is worse than no names. */
const LOOK_UP_MS = 1000;

export const completeCommand: CommandDefinition = {
  examples: ['weir __complete -- shift demo ""'],
  arguments: [{ name: 'WORD', summary: 'the words typed so far', optional: true, variadic: true }],
  run: async (call) => {
    const candidates = await complete(COMMAND_GROUPS, call.values.arguments, lookUpOf(call));
    await call.terminal.data(candidates.map((candidate) => `${candidate}\n`).join(''));
    return EXIT.ok;
  },
};

function lookUpOf(call: CommandCall): LookUp {
  return async (kind, service) => {
    const late = new Promise<readonly string[]>((resolve) => void call.terminal.clock.after(LOOK_UP_MS, () => resolve([]), true));
    try {
      return await Promise.race([namesOf(call, kind, service), late]);
    } catch {
      return [];
    }
  };
}

async function namesOf(call: CommandCall, kind: Parameters<LookUp>[0], service: string): Promise<readonly string[]> {
  const client = await call.connect();
  if (kind === 'clusters') return (await client.list<ClusterView>('clusters')).items.map((item) => item.name);
  const services = (await client.list<ServiceView>('services')).items;
  if (kind === 'services') return services.map((item) => item.name);
  return Object.keys(services.find((item) => item.name === service)?.split ?? {});
}
