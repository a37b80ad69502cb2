// weir history: the changes, newest first.
import type { LocalView, RevisionView } from '../../balancer/controller/api/views.ts';
import { REVISION_COLUMNS } from '../columns.ts';
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { writeList } from '../output.ts';

const DEFAULT_LIMIT = 20;

export const historyCommand: CommandDefinition = {
  notes: 'What this host alone was changed by while it was cut off from its fleet stands among the revisions, marked LOCAL.',
  examples: ['weir history', 'weir history --limit 5 -o wide', 'weir describe revision 12', 'weir history metrics'],
  options: [{ flags: '--limit <N>', summary: `how many (default ${DEFAULT_LIMIT})` }],
  subcommands: [
    {
      name: 'metrics',
      summary: 'show what was counted in the past',
      load: async () => (await import('./history-metrics.ts')).historyMetricsCommand,
    },
  ],
  run: async (call) => {
    const limit = call.values.number('limit', { min: 1, max: 1000, integer: true }) ?? DEFAULT_LIMIT;
    const client = await call.connect();
    const [revisions, local] = await Promise.all([client.list<RevisionView>('revisions', { limit }), client.list<LocalView>('local')]);
    await writeList(call, { ...revisions, items: among(revisions.items, local.items) }, REVISION_COLUMNS);
    return EXIT.ok;
  },
};

/** Newest first, none older than the oldest revision that is listed. */
function among(revisions: readonly RevisionView[], local: readonly LocalView[]): readonly (RevisionView | LocalView)[] {
  const oldest = revisions.at(-1)?.at ?? '';
  const newest = local.filter(({ at }) => at >= oldest);
  if (newest.length === 0) return revisions;
  return [...newest.toReversed(), ...revisions].sort((one, other) => (one.at > other.at ? -1 : one.at < other.at ? 1 : 0));
}
