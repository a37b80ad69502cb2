// `-w`: a list again each time it has changed, until interrupted. On a terminal the rows that are new or otherwise, for programs the whole list.
import type { ListView } from '../balancer/controller/api/views.ts';
import type { AdminClient } from './client.ts';
import type { CommandCall, OptionSpec } from './command.ts';
import { CommandFailure, EXIT, type ExitCode } from './exit.ts';
import { isStructured } from './output.ts';
import { type Column, table } from './table.ts';

export const WATCH_OPTION: OptionSpec = { flags: '-w, --watch', summary: 'go on, and print what changes, until interrupted' };

/** How often it is looked at. */
const PERIOD_MS = 1000;

export interface Watched<T> {
  readonly read: (client: AdminClient) => Promise<ListView<T>>;
  readonly columns: readonly Column<T>[];
}

/** Over restarts of the appliance too. */
export async function watchList<T>(call: CommandCall, client: AdminClient, { read, columns }: Watched<T>): Promise<ExitCode> {
  const { terminal, format, signal } = call;
  const shown = columns.filter((column) => column.wide !== true || format === 'wide');
  let lines: ReadonlySet<string> = new Set();
  let text = '';
  let away = false;
  while (!signal.aborted) {
    try {
      const list = await read(client);
      if (away) terminal.message('weir: the appliance is back');
      away = false;
      if (isStructured(format)) {
        const now = JSON.stringify({ kind: list.kind, items: list.items });
        if (now !== text) await terminal.data(`${JSON.stringify({ kind: list.kind, revision: list.revision, items: list.items })}\n`);
        text = now;
      } else {
        const [head = '', ...rows] = table(list.items, shown, terminal.color).trimEnd().split('\n');
        const changed = rows.filter((row) => !lines.has(row));
        if (lines.size === 0 && rows.length > 0) await terminal.data(`${head}\n`);
        if (changed.length > 0) await terminal.data(changed.map((row) => `${row}\n`).join(''));
        lines = new Set(rows);
      }
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode !== EXIT.unreachable) throw error;
      if (!away) terminal.message(`${error.message.split('\n')[0] ?? ''}; trying again`);
      away = true;
    }
    await new Promise<void>((resolve) => void terminal.clock.after(PERIOD_MS, resolve));
  }
  return EXIT.interrupted;
}
