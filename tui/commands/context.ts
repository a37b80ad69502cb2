// weir context: where appliances are, by name, and how careful to be with each.
import {
  chosenContext,
  CONTEXT_COLORS,
  contextFile,
  type Context,
  type ContextFile,
  oneOf,
  readContexts,
  writeContexts,
} from '../contexts.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { writeList } from '../output.ts';
import { parseAddress } from '../server.ts';
import type { Column } from '../table.ts';

interface Listed extends Context {
  readonly current: boolean;
}

const COLUMNS: readonly Column<Listed>[] = [
  { title: '', of: ({ current }) => (current ? '*' : '') },
  { title: 'NAME', of: ({ name }) => name },
  { title: 'SERVER', of: ({ server }) => server },
  { title: 'READ-ONLY', of: ({ readOnly }) => (readOnly ? 'yes' : 'no') },
  { title: 'CONFIRM', of: ({ confirm }) => confirm ?? '-' },
  { title: 'COLOR', of: ({ color }) => color ?? '-' },
  { title: 'TOKEN FILE', of: ({ tokenFile }) => tokenFile ?? '-', wide: true },
  { title: 'CA', of: ({ ca }) => ca ?? '-', wide: true },
];

async function fileOf({ terminal }: CommandCall): Promise<ContextFile> {
  return (await readContexts(terminal.env)) ?? { path: contextFile(terminal.env), current: null, contexts: [] };
}

const listCommand: CommandDefinition = {
  examples: ['weir context list', 'weir context list -o json'],
  run: async (call) => {
    const { current, contexts } = await fileOf(call);
    const items = contexts.map((context) => ({ ...context, current: context.name === current }));
    await writeList(call, { kind: 'contexts', revision: 0, items }, COLUMNS);
    return EXIT.ok;
  },
};

const showCommand: CommandDefinition = {
  examples: ['weir context show', 'weir context show prod -o yaml'],
  arguments: [{ name: 'CONTEXT', summary: 'its name; else the one in use', optional: true }],
  run: async (call) => {
    const file = await fileOf(call);
    const context = chosenContext(file, call.values.arguments[0] ?? null);
    if (context === null)
      throw new CommandFailure(EXIT.notFound, `no context is in use; \`weir context use NAME\` chooses one of ${file.path}`);
    const items = [{ ...context, current: context.name === file.current }];
    await writeList(
      call,
      { kind: 'contexts', revision: 0, items },
      COLUMNS.map((column) => ({ ...column, wide: false })),
    );
    return EXIT.ok;
  },
};

const useCommand: CommandDefinition = {
  examples: ['weir context use prod'],
  arguments: [{ name: 'CONTEXT', summary: 'its name' }],
  run: async (call) => {
    const file = await fileOf(call);
    const context = chosenContext(file, call.values.argument(0));
    await writeContexts({ ...file, current: context?.name ?? null });
    call.terminal.message(`commands now go to ${context?.server ?? ''} (context ${context?.name ?? ''})`);
    return EXIT.ok;
  },
};

const addCommand: CommandDefinition = {
  examples: [
    'weir context add lab --at unix:/var/lib/weir/admin.sock',
    'weir context add prod --at https://edge-1:7070 --token-file ~/.config/weir/prod.token --color red --confirm typed',
    'weir context add prod --read-only',
  ],
  notes: 'A context that is there already is changed: what is not given stays. A token is in a file of its own; it is never an option.',
  arguments: [{ name: 'CONTEXT', summary: 'its name' }],
  options: [
    { flags: '--at <WHERE>', summary: 'the appliance: unix:PATH or https://HOST:PORT' },
    { flags: '--token-file <FILE>', summary: 'a file with the token' },
    { flags: '--ca <FILE>', summary: 'PEM file of the authority of its certificate' },
    { flags: '--color <COLOR>', summary: 'of the first line of weir top', choices: CONTEXT_COLORS },
    { flags: '--confirm <HOW>', summary: 'typed: weir top asks for the name before every change', choices: ['typed', 'dangerous'] },
    { flags: '--read-only', summary: 'nothing is changed through it' },
    { flags: '--writable', summary: 'takes --read-only back' },
    { flags: '--use', summary: 'and use it from now on' },
  ],
  run: async (call) => addContext(call, await fileOf(call)),
};

async function addContext(call: CommandCall, file: ContextFile): Promise<ExitCode> {
  const { values, terminal } = call;
  const name = values.argument(0);
  if (!/^[\w.-]{1,64}$/.test(name))
    throw new CommandFailure(EXIT.usage, `CONTEXT: expected up to 64 letters, digits and _ . -, got ${JSON.stringify(name)}`);
  const before = file.contexts.find((context) => context.name === name);
  const server = values.text('at') ?? before?.server;
  if (server === undefined) throw new CommandFailure(EXIT.usage, 'say where it is: --at unix:PATH or --at https://HOST:PORT');
  parseAddress(server, '--at', {});
  const confirm = values.text('confirm');
  const context: Context = {
    ...{ name, server },
    tokenFile: values.text('tokenFile') ?? before?.tokenFile ?? null,
    ca: values.text('ca') ?? before?.ca ?? null,
    color: oneOf(CONTEXT_COLORS, values.text('color'), '--color') ?? before?.color ?? null,
    readOnly: values.flag('readOnly') || (!values.flag('writable') && before?.readOnly === true),
    confirm: confirm === null ? (before?.confirm ?? null) : confirm === 'typed' ? 'typed' : null,
  };
  const contexts = before === undefined ? [...file.contexts, context] : file.contexts.map((each) => (each.name === name ? context : each));
  const current = values.flag('use') ? name : file.current;
  await writeContexts({ ...file, contexts, current });
  terminal.message(`context ${name} is in ${file.path}${current === name ? ', and in use' : `; \`weir context use ${name}\` uses it`}`);
  return EXIT.ok;
}

const removeCommand: CommandDefinition = {
  examples: ['weir context remove lab'],
  arguments: [{ name: 'CONTEXT', summary: 'its name' }],
  run: async (call) => {
    const file = await fileOf(call);
    const name = chosenContext(file, call.values.argument(0))?.name;
    const contexts = file.contexts.filter((context) => context.name !== name);
    await writeContexts({ ...file, contexts, current: file.current === name ? null : file.current });
    call.terminal.message(`context ${name ?? ''} is removed`);
    return EXIT.ok;
  },
};

export const contextCommand: CommandDefinition = {
  examples: ['weir context list', 'weir context use prod', 'weir --context lab status'],
  subcommands: [
    { name: 'list', summary: 'list the contexts', load: () => Promise.resolve(listCommand) },
    { name: 'show', summary: 'show one of them', load: () => Promise.resolve(showCommand) },
    { name: 'use', summary: 'use one of them from now on', load: () => Promise.resolve(useCommand) },
    { name: 'add', summary: 'add one, or change it', load: () => Promise.resolve(addCommand) },
    { name: 'remove', summary: 'remove one', load: () => Promise.resolve(removeCommand) },
  ],
};
