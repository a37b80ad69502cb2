// weir __complete: what the completion scripts of the shells call; prints one candidate a line and never fails.
import type { CommandCall, CommandDefinition } from '../command.ts';
import { type LookUp, type NameKind, complete } from '../complete.ts';
import { EXIT } from '../exit.ts';
import { contextNames, namesOf, versionNames, viewNames } from '../known-names.ts';
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
      return await Promise.race([named(call, kind, service), late]);
    } catch {
      return [];
    }
  };
}

async function named(call: CommandCall, kind: NameKind, service: string): Promise<readonly string[]> {
  const { env } = call.terminal;
  // Of this user, so that no appliance has to be there.
  if (kind === 'contexts') return contextNames(env);
  if (kind === 'views') return viewNames(env);
  const client = await call.connect();
  return kind === 'versions' ? versionNames(service, client) : namesOf(kind, { client, env });
}
