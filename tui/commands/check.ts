// weir check: whether a config file can be served, without an appliance.
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';

export const checkCommand: CommandDefinition = {
  examples: ['weir check weir.yaml'],
  notes: 'Every problem is reported at once, as FILE:LINE:COLUMN: what is wrong and what is expected. The exit code is 1 if there is one.',
  arguments: [{ name: 'FILE', summary: 'the config file' }],
  run: async ({ values, programs, terminal }) => {
    const checked = await programs.check(values.argument(0));
    if (checked.ok) {
      await terminal.data(`${checked.summary}\n`);
      return EXIT.ok;
    }
    for (const problem of checked.problems) terminal.message(problem);
    return EXIT.failed;
  },
};
