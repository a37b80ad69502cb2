// weir replay: recorded decisions made again, and what another config would have decided, without an appliance.
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { writeResult } from '../output.ts';

export const replayCommand: CommandDefinition = {
  examples: ['weir replay /var/lib/weir/decisions', 'weir replay /var/lib/weir/decisions --config other.yaml', 'weir replay FILE -o json'],
  notes:
    'The controller logs what each plan was made from (`decisionLog` of the config). The plan of this weir is made from it again; exit code 1 when one comes out otherwise than recorded.\n' +
    'With --config it is made a second time as if that config had been in service: demand, health and capacity are those recorded, so what other shares would have done to them is not in it.',
  arguments: [{ name: 'FILE', summary: 'a file of decisions, or the folder with all of them' }],
  options: [{ flags: '--config <FILE>', summary: 'the config to hold against the recorded one' }],
  run: async (call) => {
    const replayed = await call.programs.replay(call.values.argument(0), call.values.text('config'));
    if (!replayed.ok) {
      for (const problem of replayed.problems) call.terminal.message(problem);
      return EXIT.failed;
    }
    await writeResult(call, { kind: 'replay', revision: 0, items: [replayed.summary] }, replayed.text);
    return replayed.mismatches === 0 ? EXIT.ok : EXIT.failed;
  },
};
