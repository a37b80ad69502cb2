// weir config: apply a file, show what it would change, print what is served, print the schema of the file.
import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { configOutcome } from '../config-outcome.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { writeResult } from '../output.ts';

const applyCommand: CommandDefinition = {
  examples: ['weir config apply weir.yaml --dry-run', 'weir config apply weir.yaml'],
  notes: 'The file is checked as a whole first; if it has a problem, everything stays as it is. No connection is dropped.',
  arguments: [{ name: 'FILE', summary: 'the config file; - is stdin' }],
  options: [{ flags: '--dry-run', summary: 'show what would change and change nothing (exit code 10 if something would)' }],
  run: (call) => apply(call, call.values.flag('dryRun')),
};

const diffCommand: CommandDefinition = {
  examples: ['weir config diff weir.yaml', 'weir config diff weir.yaml || echo something would change'],
  notes: 'What `weir config apply` would change, and nothing is changed: exit code 10 if something would, 0 if not.',
  arguments: [{ name: 'FILE', summary: 'the config file; - is stdin' }],
  run: (call) => apply(call, true),
};

async function apply(call: CommandCall, dryRun: boolean): Promise<ExitCode> {
  const text = await readConfig(call.values.argument(0));
  const client = await call.connect();
  if (!dryRun) call.ifInterrupted('the config may or may not have been applied; `weir config print` tells');
  const result = await client.applyConfig(text, dryRun);
  await writeResult(call, { kind: 'config', revision: result.revision, items: [result] }, configOutcome(result));
  return result.dryRun && result.changed ? EXIT.wouldChange : EXIT.ok;
}

const printCommand: CommandDefinition = {
  examples: ['weir config print > weir.yaml'],
  notes: 'Prints the text that is served now.',
  run: async (call) => {
    const client = await call.connect();
    await call.terminal.data(await client.configText());
    return EXIT.ok;
  },
};

const schemaCommand: CommandDefinition = {
  examples: ['weir config schema > weir.schema.json'],
  notes: 'A JSON Schema for editors. No appliance is needed.',
  run: async ({ programs, terminal }) => {
    await terminal.data(`${JSON.stringify(await programs.configSchema(), null, 2)}\n`);
    return EXIT.ok;
  },
};

export const configCommand: CommandDefinition = {
  examples: ['weir config apply weir.yaml --dry-run', 'weir config print', 'weir config schema'],
  subcommands: [
    { name: 'apply', summary: 'check a config file and serve it', load: () => Promise.resolve(applyCommand) },
    { name: 'diff', summary: 'show what a config file would change', load: () => Promise.resolve(diffCommand) },
    { name: 'print', summary: 'print the config that is served', load: () => Promise.resolve(printCommand) },
    { name: 'schema', summary: 'print the JSON Schema of the config file', load: () => Promise.resolve(schemaCommand) },
  ],
};

async function readConfig(file: string): Promise<string> {
  try {
    return await (file === '-' ? readStream(process.stdin) : readFile(file, 'utf8'));
  } catch (error) {
    throw new CommandFailure(EXIT.usage, `${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
