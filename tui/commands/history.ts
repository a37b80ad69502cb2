// weir history: the changes, newest first.
import type { RevisionView } from '../../balancer/controller/api/views.ts';
import { REVISION_COLUMNS } from '../columns.ts';
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { writeList } from '../output.ts';

const DEFAULT_LIMIT = 20;

export const historyCommand: CommandDefinition = {
  examples: ['weir history', 'weir history --limit 5 -o wide', 'weir describe revision 12'],
  options: [{ flags: '--limit <N>', summary: `how many (default ${DEFAULT_LIMIT})` }],
  run: async (call) => {
    const limit = call.values.number('limit', { min: 1, max: 1000, integer: true }) ?? DEFAULT_LIMIT;
    const client = await call.connect();
    await writeList(call, await client.list<RevisionView>('revisions', { limit }), REVISION_COLUMNS);
    return EXIT.ok;
  },
};
