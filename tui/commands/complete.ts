// weir __complete: what the completion scripts of the shells call; prints one candidate a line and never fails.
import type { RevisionView, ServiceView } from '../../balancer/controller/api/views.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { type LookUp, type NameKind, complete } from '../complete.ts';
import { readContexts } from '../contexts.ts';
import { EXIT } from '../exit.ts';
import { COMMAND_GROUPS } from '../registry.ts';

/** A shell waits for this; longer than that is worse than no names. */
const LOOK_UP_MS = 1000;
/** The newest: nobody goes further back without looking. */
const REVISIONS = 20;

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

async function namesOf(call: CommandCall, kind: NameKind, service: string): Promise<readonly string[]> {
  if (kind === 'contexts') return (await readContexts(call.terminal.env))?.contexts.map(({ name }) => name) ?? [];
  if (kind === 'views') return [...(await import('../dashboard/saved-views.ts')).readViews(call.terminal.env).keys()];
  const client = await call.connect();
  if (kind === 'versions') {
    const services = (await client.list<ServiceView>('services')).items;
    return Object.keys(services.find((item) => item.name === service)?.split ?? {});
  }
  if (kind === 'revisions')
    return (await client.list<RevisionView>('revisions', { limit: REVISIONS })).items.map(({ revision }) => String(revision));
  const items = (await client.list<{ readonly name?: string; readonly id?: string | number }>(kind)).items;
  return items.flatMap(({ name, id }) => name ?? (id === undefined ? [] : String(id)));
}
