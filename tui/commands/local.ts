// weir local: what a host was changed by while it was cut off from its fleet, and what becomes of it.
import type { LocalRequest, LocalView } from '../../balancer/controller/api/views.ts';
import { askingWhenDangerous } from '../change.ts';
import { LOCAL_COLUMNS } from '../columns.ts';
import type { ArgumentSpec, CommandCall, CommandDefinition, OptionSpec } from '../command.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { writeList } from '../output.ts';
import { parseNumber } from '../values.ts';

const NUMBER: ArgumentSpec = { name: 'NUMBER', summary: 'only this one, as weir local list tells; without it all', optional: true };
const REASON: OptionSpec = { flags: '--reason <TEXT>', summary: 'why, for the audit' };

const listDefinition: CommandDefinition = {
  examples: ['weir local list', 'weir local list -o wide'],
  notes: 'Those that were merged or discarded are listed too, the last fifty of them.',
  run: async (call) => {
    await writeList(call, await (await call.connect()).list<LocalView>('local'), LOCAL_COLUMNS);
    return EXIT.ok;
  },
};

const mergeDefinition: CommandDefinition = {
  examples: ['weir local merge', 'weir local merge 2 --reason "it was right"'],
  notes: [
    'Each is asked of the whole fleet as a change, the oldest first, by all rules, on what the fleet has now; when one is refused, those before it are merged.',
    'Where the fleet has changed the same meanwhile, it asks first.',
  ].join('\n'),
  arguments: [NUMBER],
  options: [
    REASON,
    { flags: '--yes', summary: 'answer every question with yes' },
    { flags: '--break-glass', summary: 'overrule the safety rules of the config (needs --reason; the audit says which)' },
  ],
  run: (call) => settle(call, 'merge'),
};

const discardDefinition: CommandDefinition = {
  examples: ['weir local discard', 'weir local discard 2'],
  notes: "This host does as the fleet's intent says from then on, as far as it knows it; it need not be reached.",
  arguments: [NUMBER],
  options: [REASON],
  run: (call) => settle(call, 'discard'),
};

async function settle(call: CommandCall, act: LocalRequest['act']): Promise<ExitCode> {
  const { values } = call;
  const number =
    values.arguments[0] === undefined
      ? null
      : parseNumber(values.arguments[0], 'NUMBER', { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true });
  const reason = values.text('reason');
  const request: LocalRequest = {
    act,
    ...(number === null ? {} : { number }),
    ...(reason === null ? {} : { reason }),
    ...(values.flag('breakGlass') ? { breakGlass: true } : {}),
    ...(values.flag('yes') ? { yes: true } : {}),
  };
  const client = await call.connect();
  const list = await askingWhenDangerous(call, request, (asked) => client.settleLocal(asked));
  await writeList(call, list, LOCAL_COLUMNS);
  return EXIT.ok;
}

export const localCommand: CommandDefinition = {
  examples: ['weir shift shop green=0 --local', 'weir local list', 'weir local merge', 'weir local discard'],
  subcommands: [
    { name: 'list', summary: 'show them', load: () => Promise.resolve(listDefinition) },
    { name: 'merge', summary: 'ask the fleet for the same', load: () => Promise.resolve(mergeDefinition) },
    { name: 'discard', summary: "take the fleet's", load: () => Promise.resolve(discardDefinition) },
  ],
};
