// weir consumer: credentials of those who call, made here; the file gets what may be written down, and the caller the rest.
import type { CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { writeResult } from '../output.ts';

const keyCommand: CommandDefinition = {
  examples: ['weir consumer key acme > acme.key', 'weir consumer key acme --pepper-file /etc/weir/pepper'],
  notes:
    'The key is printed once, on stdout; what belongs into the file, under consumers.NAME.keys, on stderr. Nothing is stored.\n' +
    'A consumer may have two keys at a time: add the new one, let the caller change, take the old one out.',
  arguments: [{ name: 'NAME', summary: 'the consumer; the part of the key that may be seen begins with it' }],
  options: [{ flags: '--pepper-file <FILE>', summary: 'the pepper of the config (credentials.pepper); default: none' }],
  run: async (call) => {
    const made = await call.programs.makeKey(call.values.argument(0), call.values.text('pepper-file'));
    if (made === null)
      throw new CommandFailure(EXIT.usage, '--pepper-file cannot be read, or is empty; expected the file of credentials.pepper');
    await writeResult(call, { kind: 'key', revision: 0, items: [made] }, `${made.key}\n`);
    call.terminal.message(`consumers.${call.values.argument(0)}.keys:\n  - { id: ${made.id}, hash: "${made.hash}" }`);
    return EXIT.ok;
  },
};

const passwordCommand: CommandDefinition = {
  examples: ['weir consumer password anna < anna.password'],
  notes:
    'The password is the first line of stdin, so that it stands in no history of commands. The hash goes into the file, under consumers.NAME.passwords.',
  arguments: [{ name: 'USER', summary: 'the user name' }],
  run: async (call) => {
    const password = (await call.terminal.ask(call.terminal.interactive ? 'password: ' : '')) ?? '';
    if (password === '') throw new CommandFailure(EXIT.usage, 'no password came on stdin; expected it as the first line');
    const hash = await call.programs.hashPassword(password);
    const user = call.values.argument(0);
    await writeResult(
      call,
      { kind: 'password', revision: 0, items: [{ user, hash }] },
      `- { user: ${JSON.stringify(user)}, hash: "${hash}" }\n`,
    );
    return EXIT.ok;
  },
};

export const consumerCommand: CommandDefinition = {
  examples: ['weir consumer key acme > acme.key', 'weir consumer password anna < anna.password'],
  subcommands: [
    { name: 'key', summary: 'make a key and print it once', load: () => Promise.resolve(keyCommand) },
    { name: 'password', summary: 'make the hash of a password', load: () => Promise.resolve(passwordCommand) },
  ],
};
