// weir diff: in which fields what operators asked for differs between two revisions.
import { DIFFERENCE_COLUMNS } from '../columns.ts';
import type { CommandDefinition } from '../command.ts';
import { readableDifferences } from '../difference-text.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { isStructured, writeList } from '../output.ts';
import { parseNumber } from '../values.ts';

export const diffCommand: CommandDefinition = {
  examples: ['weir diff 41', 'weir diff 41 44', 'weir diff 41 -o json'],
  notes:
    'With one revision, what differs since then. Times are in UTC; -o json and yaml have the values as they are kept, splits in millionths. The config itself is not compared.',
  arguments: [
    { name: 'REVISION', summary: 'the one before' },
    { name: 'OTHER', summary: 'the one after (default: now)', optional: true },
  ],
  run: async (call) => {
    const [from, to, ...more] = call.values.arguments.map((text) =>
      parseNumber(text, 'revision', { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true }),
    );
    if (from === undefined || more.length > 0) throw new CommandFailure(EXIT.usage, 'name one or two revisions: weir diff 41 44');
    const client = await call.connect();
    const list = await client.diff(from, to ?? null);
    if (isStructured(call.format)) await writeList(call, list, []);
    else await writeList(call, { ...list, items: readableDifferences(list.items) }, DIFFERENCE_COLUMNS);
    if (list.items.length === 0 && !isStructured(call.format)) call.terminal.message('nothing differs');
    return EXIT.ok;
  },
};
