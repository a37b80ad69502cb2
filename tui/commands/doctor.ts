// weir doctor: looks at this machine and the appliance, and says what to do where something is not well.
import type { CommandDefinition } from '../command.ts';
import { examine, type Finding } from '../doctor.ts';
import { EXIT } from '../exit.ts';
import { writeList } from '../output.ts';
import type { Column, Tone } from '../table.ts';

const TONES: Readonly<Record<Finding['state'], Tone>> = { ok: 'good', warning: 'warning', problem: 'bad' };

const COLUMNS: readonly Column<Finding>[] = [
  { title: 'CHECK', of: ({ check }) => check },
  { title: 'STATE', of: ({ state }) => state, tone: ({ state }) => TONES[state] },
  { title: 'FOUND', of: ({ says }) => says },
  { title: 'WHAT TO DO', of: ({ fix }) => fix },
];

export const doctorCommand: CommandDefinition = {
  examples: ['weir doctor', 'weir doctor -o json', 'weir --context prod doctor'],
  notes: 'Looks and changes nothing. The exit code is 1 when there is a problem, 0 with warnings.',
  run: async (call) => {
    const items = await examine(call);
    await writeList(call, { kind: 'findings', revision: 0, items }, COLUMNS);
    return items.some(({ state }) => state === 'problem') ? EXIT.failed : EXIT.ok;
  },
};
