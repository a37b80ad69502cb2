// From the command line to a command: the tree of commands as commander knows it, built from data. The only importer of commander.
import { Argument, Command, CommanderError, Option, type OutputConfiguration } from 'commander';
import { type AdminClient, createAdminClient } from './client.ts';
import type {
  ArgumentSpec,
  CommandCall,
  CommandDefinition,
  CommandEntry,
  CommandGroup,
  OptionSpec,
  OutputFormat,
  Programs,
} from './command.ts';
import { CommandFailure, EXIT, type ExitCode } from './exit.ts';
import { findServer } from './server.ts';
import { systemTerminal, type Terminal } from './terminal.ts';
import { CommandValues, type OptionValue } from './values.ts';

export const FORMATS: readonly OutputFormat[] = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'];

/** Options that take a value and may stand before the command's name. */
const GLOBAL_VALUE_FLAGS: ReadonlySet<string> = new Set(['-o', '--output', '--server', '--context']);

export interface ProgramParts {
  readonly groups: readonly CommandGroup[];
  readonly programs: Programs;
  readonly version: string;
  /** In place of this process's terminal and of the appliance that the options name: the dashboard runs commands in itself. */
  readonly inside?: { readonly terminal: Terminal; readonly client: AdminClient };
}

/** What a running command leaves with the program. */
export interface Running {
  /** The command looks after signals itself. */
  ownSignals: boolean;
  /** Said when the program is interrupted. */
  note: string | null;
  readonly signal: AbortSignal;
}

/** Parses `argv` (without node and script) and runs the command it names. Loads that command's module and no other. */
export async function runProgram(argv: readonly string[], parts: ProgramParts, running: Running): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const root = createRoot(parts);
  const run = async (command: Command, definition: CommandDefinition): Promise<void> => {
    exitCode = await runCommand(command, definition, { parts, running });
  };
  const wanted = new Set(wordsOf(argv).slice(0, 2));
  for (const { title, commands } of parts.groups) {
    for (const entry of commands) {
      const command = root
        .command(entry.name, { hidden: entry.hidden === true })
        .description(entry.summary)
        .helpGroup(title);
      if (wanted.has(entry.name)) await declare(command, entry, run);
    }
  }
  try {
    await root.parseAsync(argv, { from: 'user' });
  } catch (error) {
    // Commander has written the message or the help already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
  return exitCode;
}

function createRoot({ version, inside }: ProgramParts): Command {
  const examples = [
    'weir status',
    'weir shift demo green=10 --dry-run',
    'weir shift demo green=10 --reason "new checkout"',
    'weir undo',
    'weir top',
  ];
  const root = new Command('weir');
  return root
    .description('weir: the load balancer that steers traffic among clusters')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addOption(
      new Option('--server <WHERE>', 'the appliance: unix:PATH or https://HOST:PORT (else WEIR_SERVER, context file, default socket)'),
    )
    .addOption(new Option('--context <NAME>', 'one of the context file (weir context list); else WEIR_CONTEXT, else the one in use'))
    .addOption(new Option('-o, --output <FORMAT>', 'how data is printed').choices(FORMATS).default('table'))
    .addOption(new Option('--no-color', 'no colour, as with NO_COLOR'))
    .addHelpText('before', exampleText(examples))
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 unreachable, 4 not allowed, 5 not found, 6 revision moved, 7 refused, 8 timed out,\n  9 gate failed, 10 a dry run found changes, 11 waits for approval, 130 interrupted',
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'weir: ')),
      ...(inside === undefined ? {} : outputInto(inside.terminal)),
    })
    .showHelpAfterError('(`weir help`, or --help after a command, shows what there is)')
    .exitOverride();
}

function outputInto(terminal: Terminal): OutputConfiguration {
  return { writeOut: (text) => terminal.message(text), writeErr: (text) => terminal.message(text) };
}

type Run = (command: Command, definition: CommandDefinition) => Promise<void>;

/** Adds what a loaded definition says to its command, and its subcommands. */
async function declare(command: Command, entry: CommandEntry, run: Run): Promise<void> {
  const definition = await entry.load();
  command.addHelpText('before', exampleText(definition.examples));
  if (definition.notes !== undefined) command.addHelpText('after', `\n${definition.notes}`);
  for (const spec of definition.arguments ?? []) command.addArgument(argumentOf(spec));
  for (const spec of definition.options ?? []) command.addOption(optionOf(spec));
  for (const sub of definition.subcommands ?? []) await declare(command.command(sub.name).description(sub.summary), sub, run);
  if (definition.run !== undefined) command.action(() => run(command, definition));
}

function argumentOf(spec: ArgumentSpec): Argument {
  const name = spec.variadic === true ? `${spec.name}...` : spec.name;
  const argument = new Argument(spec.optional === true ? `[${name}]` : `<${name}>`, spec.summary);
  return spec.choices === undefined ? argument : argument.choices(spec.choices);
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.summary);
  return spec.choices === undefined ? option : option.choices(spec.choices);
}

function exampleText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  ${example}\n`).join('')}`;
}

async function runCommand(
  command: Command,
  definition: CommandDefinition,
  { parts, running }: { readonly parts: ProgramParts; readonly running: Running },
): Promise<ExitCode> {
  const options = command.optsWithGlobals<Record<string, OptionValue>>();
  const values = new CommandValues(command.args, options);
  const terminal = parts.inside?.terminal ?? systemTerminal(options['color'] === false);
  const closers: (() => Promise<void>)[] = [];
  running.ownSignals = definition.ownSignals === true;
  const call: CommandCall = {
    values,
    terminal,
    format: FORMATS.find((format) => format === options['output']) ?? 'table',
    programs: parts.programs,
    signal: running.signal,
    ifInterrupted: (note) => {
      running.note = note;
    },
    connect: async () => {
      if (parts.inside !== undefined) return parts.inside.client;
      const where = { server: values.text('server'), context: values.text('context') };
      const client = createAdminClient(await findServer(where, terminal.env), terminal.userName);
      closers.push(() => client.close());
      return client;
    },
  };
  try {
    if (definition.run === undefined) throw new CommandFailure(EXIT.usage, `${command.name()} needs a subcommand`);
    return await definition.run(call);
  } finally {
    for (const close of closers) await close();
  }
}

/** The words of a command line that are no options: the command's name is the first, or the second after `help`. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') break;
    if (GLOBAL_VALUE_FLAGS.has(word)) index += 1;
    else if (!word.startsWith('-')) words.push(word);
  }
  return words;
}
