// weir quota: what consumers may use in a day or a month.
import { CHANGE_OPTIONS, makeChange } from '../change.ts';
import type { CommandDefinition } from '../command.ts';

const resetCommand: CommandDefinition = {
  examples: ['weir quota reset acme --reason "their importer ran wild"', 'weir quota reset acme --limit monthly'],
  notes:
    'The quotas of the consumer begin anew, on all hosts of a fleet; `weir get quotas` shows what is used. What workers have in hand still passes, at most 1 % of the quota. ' +
    'As every change it can be taken back by `weir undo`; then what was used before counts again, and what was used since does not.',
  arguments: [{ name: 'CONSUMER', summary: 'the consumer' }],
  options: [{ flags: '--limit <NAME>', summary: 'only this quota (default: all that count by consumer)' }, ...CHANGE_OPTIONS],
  run: async (call) =>
    makeChange(call, await call.connect(), { kind: 'reset_quota', consumer: call.values.argument(0), limit: call.values.text('limit') }),
};

export const quotaCommand: CommandDefinition = {
  examples: ['weir get quotas', 'weir quota reset acme'],
  subcommands: [{ name: 'reset', summary: 'let the quotas of a consumer begin anew', load: async () => Promise.resolve(resetCommand) }],
};
