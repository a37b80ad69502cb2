// weir man: manual pages, made from the tree of commands.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { weirVersion } from '../../balancer/version.ts';
import type { CommandDefinition, CommandEntry } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { type ManPage, manPage } from '../man-page.ts';
import { COMMAND_GROUPS } from '../registry.ts';

const ROOT = { name: 'weir', summary: 'the load balancer that steers traffic among clusters' } as const;

export const manCommand: CommandDefinition = {
  examples: ['weir man | man -l -', 'weir man canary start | man -l -', 'weir man --all /usr/local/share/man/man1'],
  arguments: [{ name: 'COMMAND', summary: 'the words of a command; without them the page of weir', optional: true, variadic: true }],
  options: [{ flags: '--all <DIRECTORY>', summary: 'write the pages of all commands there' }],
  run: async ({ values, terminal }) => {
    const directory = values.text('all');
    if (directory !== null) {
      const pages = await allPages();
      mkdirSync(directory, { recursive: true });
      for (const page of pages) writeFileSync(join(directory, `${page.name}.1`), manPage(page));
      terminal.message(`${pages.length} pages in ${directory}`);
      return EXIT.ok;
    }
    const words = values.arguments;
    const wanted = ['weir', ...words].join('-');
    const page = (await allPages()).find(({ name }) => name === wanted);
    if (page === undefined) throw new CommandFailure(EXIT.notFound, `there is no command weir ${words.join(' ')}; weir help lists them`);
    await terminal.data(manPage(page));
    return EXIT.ok;
  },
};

/** Of weir itself and of every command, its subcommands after it. */
async function allPages(): Promise<readonly ManPage[]> {
  const version = weirVersion();
  const entries = COMMAND_GROUPS.flatMap(({ commands }) => commands).filter(({ hidden }) => hidden !== true);
  const definition = { examples: ['weir status', 'weir shift demo green=10 --dry-run', 'weir top'], subcommands: entries };
  return [{ ...ROOT, definition, version }, ...(await pagesOf('weir', entries, version))];
}

async function pagesOf(parent: string, entries: readonly CommandEntry[], version: string): Promise<readonly ManPage[]> {
  const pages: ManPage[] = [];
  for (const entry of entries) {
    const definition = await entry.load();
    const name = `${parent}-${entry.name}`;
    pages.push({ name, summary: entry.summary, definition, version }, ...(await pagesOf(name, definition.subcommands ?? [], version)));
  }
  return pages;
}
