// weir simulate: a scenario file played through many times, without an appliance.
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { writeResult } from '../output.ts';

export const simulateCommand: CommandDefinition = {
  examples: ['weir simulate scenario.yaml', 'weir simulate scenario.yaml -o json'],
  notes:
    'The file names a config, the load of its services and what goes wrong; the same plan as in service steers model clusters under a virtual clock.\n' +
    'For example:\n' +
    '  config: weir.yaml\n  load: { shop: { rps: 900 } }\n  faults: [ { cluster: eu-west, kind: down, from: 40s, for: 30s } ]',
  arguments: [{ name: 'FILE', summary: 'the scenario' }],
  run: async (call) => {
    const simulated = await call.programs.simulate(call.values.argument(0));
    if (!simulated.ok) {
      for (const problem of simulated.problems) call.terminal.message(problem);
      return EXIT.failed;
    }
    await writeResult(call, { kind: 'simulation', revision: 0, items: [simulated.summary] }, simulated.text);
    return EXIT.ok;
  },
};
