// weir pins: the places that clients of a service keep by a cookie.
import { CHANGE_OPTIONS, makeChange } from '../change.ts';
import type { CommandDefinition } from '../command.ts';

const voidCommand: CommandDefinition = {
  examples: ['weir pins void shop --reason "the canary was withdrawn"'],
  notes:
    'Every cookie given before counts for nothing: its client is placed anew, by key or split, with its next request. As every change it can be taken back by `weir undo`; then the cookies given before count again, and those given since do not.',
  arguments: [{ name: 'SERVICE', summary: 'the service' }],
  options: CHANGE_OPTIONS,
  run: async (call) => makeChange(call, await call.connect(), { kind: 'void_pins', service: call.values.argument(0) }),
};

export const pinsCommand: CommandDefinition = {
  examples: ['weir pins void shop'],
  subcommands: [{ name: 'void', summary: 'make all clients of a service choose anew', load: async () => Promise.resolve(voidCommand) }],
};
